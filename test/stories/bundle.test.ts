import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMAND_ENV } from "../harness/engine.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const APP = join(ROOT, "packages", "app");

let bundle: string;
let work: string;

beforeAll(async () => {
  // Beside the sources: what is not bundled is found in `node_modules` above it.
  bundle = await mkdtemp(join(APP, "bundle-test-"));
  work = await mkdtemp(join(tmpdir(), "sluice-bundle-"));
  const vite = join(ROOT, "node_modules", "vite", "bin", "vite.js");
  const to = ["--outDir", bundle, "--config", join(APP, "bundle.config.js")];
  await promisify(execFile)(process.execPath, [vite, "build", APP, ...to]);
}, 120_000);
afterAll(async () => {
  await Promise.all([bundle, work].map((folder) => rm(folder, { recursive: true, force: true })));
});

async function sluice(...args: string[]): Promise<string> {
  const command = [join(bundle, "sluice.js"), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: work, env: COMMAND_ENV });
  return stdout;
}

it("the bundled program deploys the example with a real push, as the built one does", async () => {
  expect(await sluice("demo", "--once", "--port", "0", "--data", join(work, "data"))).toContain("healthy");
}, 120_000);

it("the bundled program finds the files that stand beside what it was built from", async () => {
  const repository = join(work, "deploy.git");
  await promisify(execFile)("git", ["init", "--quiet", "--bare", repository]);
  await sluice("hook", "install", repository, "--server", "http://127.0.0.1:9");
  const hook = await readFile(join(repository, "hooks", "pre-receive"), "utf8");
  const [client] = /\/\S+push-hook\.cjs/.exec(hook) ?? [];
  expect(await realpath(client ?? "")).toBe(join(APP, "hooks", "push-hook.cjs"));
});

describe("bin/sluice.js", () => {
  it.each([
    ["the bundle of this build", { bundledAt: 7 }, "bundle"],
    ["what was built after the bundle", { bundledAt: 6 }, "dist"],
    ["what was built where there is no bundle", {}, "dist"],
    ["what was built while a bundle is being made", { bundledAt: "not yet" }, "dist"],
  ] as const)("runs %s", async (_, { bundledAt }: { bundledAt?: number | "not yet" }, expected) => {
    const packages = join(await mkdtemp(join(work, "checkout-")), "packages");
    const app = join(packages, "app");
    await Promise.all(
      ["app/dist/cli", "core/dist"].map((one) => mkdir(join(packages, one), { recursive: true })),
    );
    await cp(join(APP, "bin"), join(app, "bin"), { recursive: true });
    await writeFile(join(app, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(
      join(app, "dist", "cli", "main.js"),
      'export const run = () => (console.log("dist"), 0);',
    );
    for (const [name, seconds] of [
      ["app", 5],
      ["core", 7],
    ] as const) {
      const record = join(packages, name, "dist", ".tsbuildinfo");
      await writeFile(record, "");
      await utimes(record, seconds, seconds);
    }
    if (bundledAt !== undefined) await mkdir(join(app, "bundle"));
    if (bundledAt !== undefined) await writeFile(join(app, "bundle", "sluice.js"), 'console.log("bundle");');
    if (typeof bundledAt === "number")
      await writeFile(join(app, "bundle", "built-at"), String(bundledAt * 1000));
    const { stdout } = await promisify(execFile)(process.execPath, [join(app, "bin", "sluice.js")]);
    expect(stdout.trim()).toBe(expected);
  });

  it("is told by the bundle which build it is of", async () => {
    expect(Number(await readFile(join(bundle, "built-at"), "utf8"))).toBeGreaterThan(0);
  });
});
