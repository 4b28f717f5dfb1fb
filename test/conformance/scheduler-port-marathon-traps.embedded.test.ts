import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  encodePath,
  type JobId,
  type JsonObject,
  jobId,
  type LiveJob,
  systemClock,
  targetName,
} from "@sluice/core";
import { type EmbeddedMarathonOptions, embeddedMarathon, faults, marathonAnswers } from "@sluice/embedded";
import { marathon, marathonFormat } from "@sluice/schedulers";
import { expect, it, onTestFinished, vi } from "vitest";
import { byHand, optionsFor } from "./scheduler-port-server.ts";

const MARK = "production";
const web = jobId("shop/web");
const FOREVER = 600_000;
const HUGE = { mem: 1_000_000 };
const spec = (change: JsonObject = {}, id = "/shop/web"): JsonObject => ({
  ...{ id, cmd: "sleep 1000", cpus: 0.1, mem: 32, portDefinitions: [] },
  ...change,
});

it("replaces its own rollout that can never end by a newer spec", async () => {
  const t = await start();
  await t.healthy(await t.apply(spec()));
  await t.apply(spec(HUGE));
  await t.says(web, /no offer fits: InsufficientMemory/);
  await t.apply(spec({ cmd: "sleep 2000" }));
  const live = await t.healthy(web);
  expect(marathonFormat().compare(spec({ cmd: "sleep 2000" }), live.spec, [])).toEqual([]);
});

it("waits for a deployment that other people's apps are part of, and names it", async () => {
  const t = await start();
  await t.healthy(await t.apply(spec()));
  const { deploymentId } = await t.byHand("PUT", "/v2/groups/shop", {
    apps: [{ ...(await t.shown(web)), ...HUGE }, spec(HUGE, "/shop/theirs")],
  });
  await expect(t.apply(spec({ cmd: "sleep 2000" }), await t.live(web))).rejects.toMatchObject({
    code: "SCHEDULER_LOCKED",
    message: `another deployment of the app is running: ${deploymentId}`,
  });
});

it("does not remove an app in the middle of a deployment", async () => {
  const t = await start();
  await t.healthy(await t.apply(spec()));
  await t.apply(spec(HUGE));
  await expect(t.scheduler.remove({ id: web, mark: MARK })).rejects.toMatchObject({
    code: "SCHEDULER_LOCKED",
  });
  expect(await t.live(web)).toBeDefined();
});

it("waits where no more deployments may run", async () => {
  const t = await start({ maxRunningDeployments: 1 });
  await t.apply(spec(HUGE, "/other"), undefined, jobId("other"));
  await expect(t.apply(spec())).rejects.toMatchObject({ code: "SCHEDULER_LOCKED" });
});

it("says that a rollout was cancelled half done", async () => {
  const t = await start();
  const half = { instances: 4, upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 } };
  await t.healthy(await t.apply(spec(half)));
  await t.apply(spec({ ...half, ...HUGE }));
  await t.says(web, /2 of 4 instances running/);
  await t.byHand("DELETE", `/v2/deployments/${await t.deployment()}?force=true`);
  await t.says(web, /no deployment runs, and 2 of the instances are still of an earlier spec/);
  expect((await t.live(web))?.observed.failed).toBeUndefined();
  t.later(30_000);
  expect((await t.live(web))?.observed).toMatchObject({ health: "Degraded", failed: true });
});

it("says that a rollout was undone", async () => {
  const t = await start();
  await t.healthy(await t.apply(spec()));
  await t.apply(spec(HUGE));
  await t.byHand("DELETE", `/v2/deployments/${await t.deployment()}`);
  await t.says(web, /the deployment was undone in Marathon, which runs the earlier spec again/);
  expect((await t.live(web))?.observed).toMatchObject({ failed: true, rolledBack: true });
});

it("does not take the new spec, nor an empty second deployment, for the new tasks", async () => {
  const started = new AbortController();
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal = new AbortController().signal) =>
      systemClock.sleep(ms, ms === FOREVER ? AbortSignal.any([signal, started.signal]) : signal),
  };
  const simulate = ({ launch }: { launch: number }) => (launch > 1 ? { startDelayMs: FOREVER } : {});
  const t = await start({ clock, simulate });
  await t.healthy(await t.apply(spec()));
  await t.apply(spec({ cmd: "sleep 2000" }));
  const during = await t.live(web);
  expect(during?.observed.health).toBe("Progressing");
  expect(marathonFormat().compare(spec({ cmd: "sleep 2000" }), during?.spec ?? {}, [])).toEqual([]);
  await t.apply(spec({ cmd: "sleep 2000" }));
  expect((await t.live(web))?.observed.health).toBe("Progressing");
  started.abort();
  await t.healthy(web);
});

it("restarts nothing by sending the same spec again, since its mark is always the same", async () => {
  const t = await start();
  await t.healthy(await t.apply(spec()));
  const before = await t.tasks();
  await t.apply(spec());
  await t.healthy(web);
  expect(await t.tasks()).toEqual(before);
});

it("leaves other people's apps of a group alone, whatever becomes of the group's file", async () => {
  const t = await start();
  await t.byHand("POST", "/v2/apps", spec({}, "/shop/theirs"));
  const { cmd, cpus, mem } = spec() as { cmd: string; cpus: number; mem: number };
  const apps = [
    { id: "web", cmd, cpus, mem, dependencies: ["db"] },
    { id: "db", cmd, cpus, mem },
  ];
  const file = { path: encodePath("shop.json"), bytes: Buffer.from(JSON.stringify({ id: "/shop", apps })) };
  const { jobs, problems } = marathonFormat().parse(file, targetName("apps"));
  expect(problems).toEqual([]);
  for (const job of jobs) await t.healthy(await t.apply(job.spec, undefined, job.id));
  expect(await t.ids()).toEqual(["/shop/db", "/shop/theirs", "/shop/web"]);
  for (const job of jobs) await t.scheduler.remove({ id: job.id, mark: MARK });
  expect(await t.ids()).toEqual(["/shop/theirs"]);
});

it("hears of changes again after its event stream was cut", async () => {
  const t = await start();
  const hints: (JobId | undefined)[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const hint of t.scheduler.watch?.(stop.signal) ?? []) hints.push(hint);
  })();
  await vi.waitFor(() => expect(hints).toEqual([undefined]));
  await vi.waitFor(() => expect(t.faults.cutStreams()).toBe(1));
  await vi.waitFor(() => expect(hints).toEqual([undefined, undefined]), { timeout: 5_000 });
  await t.apply(spec());
  await vi.waitFor(() => expect(hints).toContain(web), { timeout: 5_000 });
  stop.abort();
  await watching;
});

it.each([
  ["nobody leads", marathonAnswers.noLeader()],
  ["it is too busy, and says so in HTML", marathonAnswers.tooBusy()],
])("takes no list while %s", async (_when, answer) => {
  const t = await start();
  await t.healthy(await t.apply(spec()));
  const mend = t.faults.inject({ mishap: { answer }, method: "GET" });
  await expect(t.scheduler.list({ mark: MARK })).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
  mend();
  expect((await t.scheduler.list({ mark: MARK })).map((job) => job.id)).toEqual([web]);
});

it.each(["before", "after"] as const)(
  "does not know what became of a create whose connection was reset %s it was carried out",
  async (reset) => {
    const t = await start();
    t.faults.inject({ mishap: { reset }, method: "POST", times: 1 });
    await expect(t.apply(spec())).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
    const made = (await t.scheduler.list({ mark: MARK })).map((job) => job.id);
    expect(made).toEqual(reset === "after" ? [web] : []);
    if (reset === "before") return;
    const again = { id: web, spec: spec(), mark: MARK, live: undefined, ignore: [] };
    await expect(t.scheduler.apply(again)).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
  },
);

async function start(options: Partial<EmbeddedMarathonOptions> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-traps-"));
  const given = faults();
  const server = await embeddedMarathon({
    ...{ dataDir, execution: "simulated", stopGraceMs: 100, capacity: { mem: 10_000 }, faults: given },
    ...options,
  });
  onTestFinished(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  let skew = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + skew };
  const scheduler = marathon({ ...optionsFor(server.address), clock, random: () => 0 });
  const hand = async (method: string, path: string, body?: unknown) =>
    (await byHand(method, server.address + path, body)) as JsonObject;
  const live = async (id: JobId): Promise<LiveJob | undefined> => (await scheduler.list({ ids: [id] }))[0];
  const says = (id: JobId, words: RegExp) =>
    vi.waitFor(async () => expect((await live(id))?.observed.message).toMatch(words), { timeout: 5_000 });
  return {
    ...{ scheduler, faults: given, byHand: hand, live, says },
    later: (ms: number) => {
      skew += ms;
    },
    /** @param planned what is there, unless told. */
    async apply(wanted: JsonObject, ...[planned, id = web]: [LiveJob?, JobId?]): Promise<JobId> {
      const present = planned ?? (await live(id));
      await scheduler.apply({ id, spec: wanted, mark: MARK, live: present, ignore: [] });
      return id;
    },
    healthy: (id: JobId) =>
      vi.waitFor(
        async () => {
          const job = await live(id);
          if (job?.observed.health !== "Healthy") throw new Error(`${id}: ${job?.observed.message}`);
          return job;
        },
        { timeout: 5_000 },
      ),
    async deployment(): Promise<string> {
      const [running] = (await hand("GET", "/v2/deployments")) as unknown as { id: string }[];
      if (!running) throw new Error("no deployment runs");
      return running.id;
    },
    shown: async (id: JobId) => (await hand("GET", `/v2/apps/${id}`)).app as JsonObject,
    ids: async () => ((await hand("GET", "/v2/apps")).apps as { id: string }[]).map((one) => one.id).sort(),
    tasks: async () =>
      ((await hand("GET", "/v2/tasks")).tasks as { id: string }[]).map((one) => one.id).sort(),
  };
}
