#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { builtAt } from "./built-at.js";

const main = new URL("../dist/cli/main.js", import.meta.url);
if (bundleIsOfThisBuild()) {
  await import("../bundle/sluice.js");
} else if (existsSync(fileURLToPath(main))) {
  const { run } = await import(main.href);
  process.exitCode = await run(process.argv.slice(2));
} else {
  process.stderr.write("✗ Sluice is not built yet: run `npm run build` in its checkout\n");
  process.exitCode = 2;
}

/** A bundle starts faster, and may be older than what was built since. */
function bundleIsOfThisBuild() {
  try {
    const bundled = readFileSync(new URL("../bundle/built-at", import.meta.url), "utf8");
    return bundled === builtAt(new URL("../../", import.meta.url));
  } catch {
    return false;
  }
}
