import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMAND_ENV } from "../harness/engine.ts";

const APP = fileURLToPath(new URL("../../packages/app", import.meta.url));
const run = promisify(execFile);

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "sluice-bundle-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

describe("the bundled program", () => {
  let bundle: string;
  beforeAll(async () => {
    // Beside the sources: what is not bundled is found in `node_modules` above it.
    bundle = await mkdtemp(join(APP, "bundle-test-"));
    await run(process.execPath, [join(APP, "make-bundle.js"), bundle]);
    const launch = `require(${JSON.stringify(join(APP, "bin", "code-cache.cjs"))})
      .requireCompiled(${JSON.stringify(join(bundle, "sluice.cjs"))}, ${JSON.stringify(join(bundle, "compiled"))})
      .run(process.argv.slice(2)).then((code) => { process.exitCode = code; });`;
    await writeFile(join(bundle, "launch.cjs"), launch);
  }, 120_000);
  afterAll(() => rm(bundle, { recursive: true, force: true }));

  async function sluice(...args: string[]): Promise<string> {
    const command = [join(bundle, "launch.cjs"), ...args];
    const { stdout } = await run(process.execPath, command, { cwd: work, env: COMMAND_ENV });
    return stdout;
  }

  it.each(["compiled anew", "compiled before"])(
    "deploys the example with a real push, %s",
    async (how) => {
      const demo = sluice("demo", "--once", "--port", "0", "--data", join(work, how));
      expect(await demo).toContain("healthy");
      expect((await readdir(bundle)).filter((name) => name.startsWith("compiled"))).toHaveLength(1);
    },
    120_000,
  );

  it("finds the files that stand beside what it was built from", async () => {
    const repository = join(work, "deploy.git");
    await run("git", ["init", "--quiet", "--bare", repository]);
    await sluice("hook", "install", repository, "--server", "http://127.0.0.1:9");
    const hook = await readFile(join(repository, "hooks", "pre-receive"), "utf8");
    const [client] = /\/\S+push-hook\.cjs/.exec(hook) ?? [];
    expect(await realpath(client ?? "")).toBe(join(APP, "hooks", "push-hook.cjs"));
  });

  it("is told which build it is of", async () => {
    expect(Number(await readFile(join(bundle, "built-at"), "utf8"))).toBeGreaterThan(0);
  });
});

/** A checkout whose `app` and `core` were built at 5 and at 7 seconds of the epoch. */
async function checkout(bundledAt: number | "not yet" | undefined): Promise<string> {
  const packages = join(await mkdtemp(join(work, "checkout-")), "packages");
  const app = join(packages, "app");
  await Promise.all(
    ["app/dist/cli", "core/dist"].map((one) => mkdir(join(packages, one), { recursive: true })),
  );
  await cp(join(APP, "bin"), join(app, "bin"), { recursive: true });
  await writeFile(join(app, "package.json"), JSON.stringify({ type: "module" }));
  const built = 'export const run = async () => (console.log("dist"), 0);';
  await writeFile(join(app, "dist", "cli", "main.js"), built);
  for (const [name, seconds] of [
    ["app", 5],
    ["core", 7],
  ] as const) {
    const record = join(packages, name, "dist", ".tsbuildinfo");
    await writeFile(record, "");
    await utimes(record, seconds, seconds);
  }
  if (bundledAt === undefined) return app;
  const bundled =
    '(function (exports) { exports.run = async (args) => (console.log("bundle", ...args), 0); })';
  await mkdir(join(app, "bundle"));
  await writeFile(join(app, "bundle", "sluice.cjs"), bundled);
  if (bundledAt !== "not yet") await writeFile(join(app, "bundle", "built-at"), String(bundledAt * 1000));
  return app;
}

async function keptOf(app: string): Promise<string[]> {
  return (await readdir(join(app, "bundle", "compiled"))).sort();
}

async function outputOf(app: string, ...args: string[]): Promise<string> {
  return (await run(process.execPath, [join(app, "bin", "sluice.cjs"), ...args])).stdout.trim();
}

describe("bin/sluice.cjs", () => {
  it.each([
    ["the bundle of this build", 7, "bundle"],
    ["what was built after the bundle", 6, "dist"],
    ["what was built where there is no bundle", undefined, "dist"],
    ["what was built while a bundle is being made", "not yet", "dist"],
  ] as const)("runs %s", async (_, bundledAt, expected) => {
    expect(await outputOf(await checkout(bundledAt))).toBe(expected);
  });

  it("keeps what each command had compiled, and nothing for words that name no command", async () => {
    const app = await checkout(7);
    for (const args of [["up", "mirror"], ["status"], ["../../x"], ["--help"], ["up"]])
      expect(await outputOf(app, ...args)).toBe(["bundle", ...args].join(" "));
    expect((await keptOf(app)).map((one) => one.replace(/-\d+$/, "-MADE"))).toEqual(
      ["sluice", "status", "up"].map((name) => `${name}-${process.version}-${process.arch}-MADE`),
    );
  });

  it("runs, and keeps it anew, where what was kept cannot be used", async () => {
    const app = await checkout(7);
    await outputOf(app, "up");
    const kept = join(app, "bundle", "compiled", (await keptOf(app))[0] ?? "");
    const garbage = Buffer.alloc((await readFile(kept)).length, 7);
    await writeFile(kept, garbage);
    expect(await outputOf(app, "up")).toBe("bundle up");
    expect(Buffer.compare(await readFile(kept), garbage)).not.toBe(0);
  });

  it("never runs what was kept of another bundle, though it be as long", async () => {
    const app = await checkout(7);
    expect(await outputOf(app, "up")).toBe("bundle up");
    const bundle = join(app, "bundle", "sluice.cjs");
    const text = (await readFile(bundle, "utf8")).replace('"bundle"', '"bungle"');
    await rm(bundle);
    await writeFile(bundle, text);
    expect(await outputOf(app, "up")).toBe("bungle up");
  });

  it("runs where nothing can be kept", async () => {
    const app = await checkout(7);
    await writeFile(join(app, "bundle", "compiled"), "a file where the folder would be");
    expect(await outputOf(app, "up")).toBe("bundle up");
  });
});
