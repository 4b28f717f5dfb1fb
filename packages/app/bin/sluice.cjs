#!/usr/bin/env node
"use strict";
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");
const { builtAt } = require("./built-at.cjs");
const { requireCompiled } = require("./code-cache.cjs");

const app = join(__dirname, "..");
const bundle = join(app, "bundle", "sluice.cjs");
const built = join(app, "dist", "cli", "main.js");
const args = process.argv.slice(2);

if (bundleIsOfThisBuild()) {
  runWith(requireCompiled(bundle, cacheOf(args)));
} else if (existsSync(built)) {
  void import(pathToFileURL(built).href).then(runWith);
} else {
  process.stderr.write("✗ Sluice is not built yet: run `npm run build` in its checkout\n");
  process.exitCode = 2;
}

function runWith({ run }) {
  run(args).then((code) => {
    process.exitCode = code;
  });
}

/** A bundle starts faster, and may be older than what was built since. */
function bundleIsOfThisBuild() {
  try {
    return readFileSync(join(app, "bundle", "built-at"), "utf8") === builtAt(join(app, ".."));
  } catch {
    return false;
  }
}

/** Each command keeps what it needs compiled: that of another one would be read in vain. */
function cacheOf([command = ""]) {
  const name = /^[a-z][a-z-]*$/.test(command) ? command : "sluice";
  return join(app, "bundle", "compiled", `${name}-${process.version}-${process.arch}`);
}
