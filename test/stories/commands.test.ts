import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, run, sluice, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";

const SLEEPER = "id: /sleeper\ncmd: exec sleep 1000\ncpus: 0.1\nmem: 16\n";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-commands-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("sluice --version says which one it is", async () => {
  const { version } = JSON.parse(
    await readFile(new URL("../../packages/app/package.json", import.meta.url), "utf8"),
  ) as { version: string };
  expect(await sluice(["--version"], { cwd: folder })).toEqual({ code: 0, output: `${version}\n` });
});

describe("sluice init", () => {
  it("writes a configuration that loads and a deploy repo that is valid, and never overwrites", async () => {
    expect((await sluice(["init"], { cwd: folder })).code).toBe(0);
    expect(await sluice(["validate", "deploy"], { cwd: folder })).toEqual({
      code: 0,
      output: "✔ 1 job, 0 problems\n",
    });
    const before = await readFile(join(folder, "sluice.yaml"), "utf8");
    const again = await sluice(["init"], { cwd: folder });
    expect(again.code).toBe(2);
    expect(again.output).toMatch(/sluice\.yaml exists already; nothing was written/);
    expect(await readFile(join(folder, "sluice.yaml"), "utf8")).toBe(before);
  });
});

describe("sluice validate", () => {
  it("names every problem of every file with its line, and exits with 1", async () => {
    await mkdir(join(folder, "apps"));
    await mkdir(join(folder, "cron"));
    await writeFile(join(folder, "apps/a.yaml"), "id: /a\ncmd: x y\ninstances: many\nmemory: 3\n");
    await writeFile(join(folder, "cron/b.yaml"), "name: b\nschedule: every day\ncommand: x\n");
    const { code, output } = await sluice(["validate"], { cwd: folder });
    expect(code).toBe(1);
    const places = output.split("\n").map((line) => /^✗ (\S+?:\d+): (\S+):/.exec(line)?.slice(1).join(" "));
    expect(places.filter(Boolean).sort()).toEqual([
      "apps/a.yaml:3 instances",
      "apps/a.yaml:4 memory",
      "cron/b.yaml:2 schedule",
    ]);
  });

  it("prints problems for programs", async () => {
    await mkdir(join(folder, "apps"));
    await writeFile(join(folder, "apps/a.yaml"), "id: /a\n  bad: [\n");
    const { code, output } = await sluice(["validate", "-o", "json"], { cwd: folder });
    expect(code).toBe(1);
    const found = JSON.parse(output) as {
      jobs: number;
      problems: { file: string; line: number; reason: string }[];
    };
    expect(found.jobs).toBe(0);
    expect(found.problems[0]).toMatchObject({ file: "apps/a.yaml", line: 1, reason: "InvalidSpec" });
    expect(new Set(found.problems.map((problem) => problem.file))).toEqual(new Set(["apps/a.yaml"]));
  });

  it("exits with 2 for a folder that is not there, and for words it does not know", async () => {
    expect((await sluice(["validate", "nowhere"], { cwd: folder })).code).toBe(2);
    expect((await sluice(["valdate"], { cwd: folder })).output).toMatch(/Did you mean validate/);
    expect((await sluice(["--help"])).code).toBe(0);
  });
});

describe("sluice up with a bad configuration", () => {
  it("reports every problem with its line and exits with 2", async () => {
    await writeFile(join(folder, "sluice.yaml"), "dataDri: x\nhttp: { port: many }\n");
    const { code, output } = await sluice(["up"], { cwd: folder });
    expect(code).toBe(2);
    expect(output).toMatch(/sluice\.yaml:2: http\.port: /);
    expect(output).toMatch(/sluice\.yaml:1: dataDri: unknown setting \(did you mean "dataDir"\?\)/);
  });
});

describe("commands against an engine", () => {
  let engine: TestEngine;
  let clone: DeployClone;
  beforeAll(async () => {
    engine = await startEngine();
    clone = await cloneDeployRepo(engine.repositoryUrl);
    await mkdir(join(clone.folder, "apps"));
    await clone.write("apps/sleeper.yaml", SLEEPER);
    await clone.push("a sleeper");
  });
  afterAll(async () => {
    await clone.cleanUp();
    await removeEngine(engine);
  });

  it("status shows both axes, revision, age, reason and sentence", async () => {
    const { code, output } = await engine.sluice("status");
    expect(code).toBe(0);
    const [headline, titles, row] = output.split("\n");
    expect(headline).toMatch(/^✔ production: main@sha1:[0-9a-f]{8} healthy, 1 of 1 jobs healthy$/);
    expect(titles?.split(/ +/)).toEqual(["JOB", "SYNC", "HEALTH", "REVISION", "AGE", "REASON", "MESSAGE"]);
    expect(row).toMatch(/^apps\/sleeper +Synced +Healthy +main@sha1:[0-9a-f]{8} +\S+s +Applied +\S/);
  });

  it("status of one job as YAML names it; an unknown job is an error with a suggestion", async () => {
    const one = await engine.sluice("status", "apps/sleeper", "-o", "yaml");
    expect(one.code).toBe(0);
    expect(one.output).toMatch(/key: apps\/sleeper\n/);
    const unknown = await engine.sluice("status", "apps/sleper");
    expect(unknown.code).toBe(2);
    expect(unknown.output).toMatch(/did you mean "apps\/sleeper"/);
  });

  it("a hand edit in the scheduler is drift: diff shows it, sync --wait puts it back", async () => {
    const edit = await fetch(`${engine.marathon}/v2/apps/sleeper`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ instances: 2 }),
    });
    expect(edit.status).toBe(200);
    const diff = await engine.sluice("diff");
    // The deployer watches the scheduler's events and may have healed it before this looked.
    if (diff.code === 1) expect(diff.output).toMatch(/► update apps\/sleeper\n {4}instances 2 → 1\n/);
    const synced = await engine.sluice("sync", "--wait");
    expect(synced.code).toBe(0);
    await eventually("one instance again", async () => {
      const answer = await fetch(`${engine.marathon}/v2/apps/sleeper`);
      const { app } = (await answer.json()) as { app: { instances: number } };
      return app.instances === 1 || undefined;
    });
    expect((await engine.sluice("wait")).code).toBe(0);
  });

  it("doctor finds a running engine and its schedulers in order", async () => {
    const { code, output } = await sluice([
      "doctor",
      "--config",
      join(engine.folder, "sluice.yaml"),
      "--server",
      engine.address,
    ]);
    expect(output).toMatch(/✔ an engine answers at http/);
    expect(output).toMatch(/✔ deploy repo of production: main is at [0-9a-f]{8}/);
    expect(output).toMatch(/✔ target apps of production: 1 jobs of Sluice's/);
    expect(code).toBe(0);
  });

  it("metrics and health are there for machines", async () => {
    const metrics = await (await fetch(`${engine.address}/metrics`)).text();
    expect(metrics).toMatch(
      /sluice_events_total\{environment="production",type="deployment\.finished"\} [1-9]/,
    );
    expect((await fetch(`${engine.address}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${engine.address}/readyz`)).json()).toEqual({ status: "ok" });
    expect((await fetch(`${engine.address}/nothing`)).status).toBe(404);
  });
});

describe("a repository of one's own, and roles in two processes", () => {
  it("deploys through installed hooks while mirror and deployer run elsewhere", async () => {
    const bare = join(folder, "own.git");
    await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", bare]);
    const [port, consulPort, marathonPort, chronosPort] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const config = {
      http: { port },
      embedded: { consulPort, marathonPort, chronosPort },
      environments: { staging: { source: { repository: bare }, targets: { apps: { type: "marathon" } } } },
    };
    await writeFile(join(folder, "sluice.yaml"), JSON.stringify(config));
    const servers = up(folder, "consul", "marathon", "http");
    await eventually(
      "the API answers",
      async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok || undefined,
    );
    const workers = up(folder, "mirror", "deployer");
    try {
      expect((await sluice(["hook", "install", bare], { cwd: folder })).code).toBe(0);
      const clone = await cloneDeployRepo(bare);
      await mkdir(join(clone.folder, "apps"));
      await clone.write("apps/sleeper.yaml", SLEEPER);
      const { output } = await clone.push("a sleeper");
      expect(output).toMatch(/remote: ► create apps\/sleeper/);
      expect(output).toMatch(/remote: ✔ apps\/sleeper healthy in/);
      await workers.stop();
      await servers.stop();
      await clone.write("apps/sleeper.yaml", `${SLEEPER}instances: 2\n`);
      const offline = await clone.push("nobody listens");
      expect(offline.code).toBe(0);
      expect(offline.output).toMatch(
        /no Sluice engine answers at http:\S+ \(.*\); the push is taken unchecked/,
      );
      expect((await sluice(["hook", "install", bare, "--offline", "refuse"], { cwd: folder })).code).toBe(0);
      await clone.write("apps/sleeper.yaml", `${SLEEPER}instances: 3\n`);
      expect((await clone.push("nobody listens, strictly")).code).toBe(1);
      await clone.cleanUp();
    } finally {
      await workers.stop();
      await servers.stop();
    }
  });
});

/** `sluice up ROLE…` in a folder with a configuration. */
function up(cwd: string, ...roles: string[]): { stop(): Promise<void> } {
  const bin = new URL("../../packages/app/bin/sluice.cjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [bin, "up", ...roles], { cwd, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await ended;
    },
  };
}
