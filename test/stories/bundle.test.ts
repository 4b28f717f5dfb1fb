import { execFile } from "node:child_process";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
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
