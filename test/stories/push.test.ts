import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cloneDeployRepo, copyExample, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, sluice, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";
import { runningTasks } from "../harness/marathon-tasks.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";

/** An app that answers with its own process id, so that a restart shows. */
const PROBE = (answer: string) => `id: /probe
cmd: exec node -e 'require("http").createServer((q, s) => s.end("${answer} " + process.pid)).listen(process.env.PORT0)'
portDefinitions: [{ port: 0, name: http }]
healthChecks: [{ protocol: HTTP, path: /, portIndex: 0, gracePeriodSeconds: 30, intervalSeconds: 2, timeoutSeconds: 2 }]
upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 }
`;

interface Status {
  readonly marker?: { readonly revision: string };
  readonly jobs: readonly { readonly key: string; readonly sync: string; readonly health: string }[];
}

function theUsersLoop(consulAddress: () => string | undefined): void {
  let engine: TestEngine;
  let clone: DeployClone;

  const status = async () => {
    const { output } = await engine.sluice("status", "-o", "json");
    const { environments } = JSON.parse(output) as { environments: [Status] };
    return environments[0];
  };
  const jobs = async () => (await status()).jobs.map((job) => `${job.key} ${job.sync} ${job.health}`).sort();
  /** What the probe answers: its text and its process id. */
  const probe = async () => {
    const [task] = await runningTasks(engine.marathon, "probe");
    if (!task) throw new Error("the probe does not run");
    return (await fetch(task.url, { signal: AbortSignal.timeout(5_000) })).text();
  };

  beforeAll(async () => {
    const consul = consulAddress();
    engine = await startEngine(consul ? { consul } : {});
    clone = await cloneDeployRepo(engine.repositoryUrl);
  });
  afterAll(async () => {
    await clone?.cleanUp();
    if (engine) await removeEngine(engine);
  });

  it("deploys the whole example with the first push, in the order of its dependencies", async () => {
    await copyExample(clone);
    await clone.write("apps/probe.yaml", PROBE("one"));
    const { code, output } = await clone.push("the shop");
    expect(output).toMatch(/remote: ► create apps\/shop\/web/);
    expect(output).toMatch(
      /remote: ✔ apps\/shop\/catalogue healthy in [\s\S]*remote: ✔ apps\/shop\/web healthy in/,
    );
    expect(output).toMatch(/remote: ✔ main@sha1:[0-9a-f]{8}: 4 of 4 jobs healthy \(4 created\)/);
    expect(code).toBe(0);
    expect(await jobs()).toEqual([
      "apps/probe Synced Healthy",
      "apps/shop/catalogue Synced Healthy",
      "apps/shop/web Synced Healthy",
      "cron/nightly-report Synced Healthy",
    ]);
    expect((await engine.sluice("status")).code).toBe(0);
    expect(await engine.sluice("diff")).toEqual({
      code: 0,
      output: "✔ no differences: 4 jobs run as Git says\n",
    });
  });

  it("shows the plan and the outcome of a change in the push itself", async () => {
    await clone.edit("apps/shop/web.yaml", "instances: 1", "instances: 2");
    const { output } = await clone.push("two web servers");
    expect(output).toMatch(/remote: ► update apps\/shop\/web \(instances 1 → 2\)/);
    expect(output).toMatch(/remote: ✔ apps\/shop\/web healthy in /);
    expect(output).not.toMatch(/(update|create|prune) apps\/shop\/catalogue/);
  });

  it("restarts nothing when the same content is pushed again", async () => {
    const before = await probe();
    const { output } = await clone.push("nothing new");
    expect(output).toMatch(/remote: ✔ no job changes/);
    await clone.write("apps/probe.yaml", `# only a comment\n${PROBE("one")}`);
    expect((await clone.push("a comment")).code).toBe(0);
    expect(await probe()).toBe(before);
    const head = await clone.head();
    expect((await status()).marker?.revision).toBe(`main@sha1:${head}`);
  });

  it("refuses a broken file, naming file, line and reason, and changes nothing", async () => {
    const before = [await probe(), await jobs(), (await status()).marker?.revision];
    await clone.edit("apps/probe.yaml", "id: /probe", "id: /probe\ninstances: two");
    const { code, output } = await clone.push("broken");
    expect(code).toBe(1);
    expect(output).toMatch(/remote: ✗ apps\/probe\.yaml:3: instances: /);
    expect(output).toMatch(/the push is refused, nothing was changed/);
    expect([await probe(), await jobs(), (await status()).marker?.revision]).toEqual(before);
    await clone.git("reset", "--quiet", "--hard", "HEAD~1");
  });

  it("rolls an update, and a forced push of an older commit brings the older state back", async () => {
    const older = await clone.head();
    await clone.write("apps/probe.yaml", PROBE("two"));
    await clone.push("the probe says two");
    expect(await probe()).toMatch(/^two /);
    await clone.git("reset", "--quiet", "--hard", older);
    const forced = await clone.git("push", "--force", "origin", "main");
    expect(forced.output).toMatch(/remote: ✔ apps\/probe healthy in/);
    expect(await probe()).toMatch(/^one /);
    expect((await status()).marker?.revision).toBe(`main@sha1:${older}`);
  });

  it("prunes the job of a deleted file and ends its processes", async () => {
    const [, pid] = (await probe()).split(" ");
    await clone.remove("apps/probe.yaml");
    const { output } = await clone.push("no probe");
    expect(output).toMatch(/remote: ► prune apps\/probe/);
    expect(output).toMatch(/remote: ✔ apps\/probe pruned/);
    expect(await jobs()).toEqual([
      "apps/shop/catalogue Synced Healthy",
      "apps/shop/web Synced Healthy",
      "cron/nightly-report Synced Healthy",
    ]);
    await eventually("the probe's process is gone", async () => (isAlive(Number(pid)) ? undefined : true));
  });

  it("refuses to delete the branch that is deployed", async () => {
    const { code, output } = await clone.git("push", "origin", ":main");
    expect(code).toBe(1);
    expect(output).toMatch(/deleting it is refused/);
  });

  it("goes on where it was after a kill -9, and ends every process on Ctrl-C", async () => {
    engine = await engine.crash();
    await clone.git("remote", "set-url", "origin", engine.repositoryUrl);
    await clone.write("apps/probe.yaml", PROBE("three"));
    const { output } = await clone.push("the probe is back");
    expect(output).toMatch(/remote: ✔ apps\/probe healthy in/);
    const [, pid] = (await probe()).split(" ");
    expect(await engine.stop()).toBe(0);
    expect(isAlive(Number(pid))).toBe(false);
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("the user's loop on the embedded default", () => {
  theUsersLoop(() => undefined);
});

describeWithServer("the user's loop with a real Consul", { consul: hasConsul() }, () => {
  let consul: RealConsul | undefined;
  beforeAll(async () => {
    consul = await startRealConsul();
  });
  afterAll(async () => consul?.stop());
  theUsersLoop(() => consul?.address);
});

describe("commands without an engine", () => {
  it("say in one sentence that none answers, and exit with 2", async () => {
    const { code, output } = await sluice(["status", "--server", "http://127.0.0.1:1"]);
    expect(code).toBe(2);
    expect(output).toMatch(
      /^✗ no Sluice engine answers at http:\/\/127\.0\.0\.1:1: .* \[SERVER_UNREACHABLE\]\n/,
    );
  });
});
