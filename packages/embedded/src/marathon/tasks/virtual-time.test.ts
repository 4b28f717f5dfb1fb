import { type ManualClock, manualClock } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";
import type { EmbeddedMarathonOptions } from "../options.ts";
import type { SimulatedTask } from "./simulated-backend.ts";

let clock: ManualClock;
let marathon: MarathonUnderTest;
/** Seconds since the start at which each task was launched. */
let launches: number[];
let fate: SimulatedTask;

async function start(more: Partial<EmbeddedMarathonOptions> = {}): Promise<void> {
  const zero = clock.now();
  marathon = await marathonUnderTest({
    clock,
    firstProbeDelayMs: Number.POSITIVE_INFINITY,
    simulate() {
      launches.push((clock.now() - zero) / 1000);
      return fate;
    },
    ...more,
  });
}

beforeEach(async () => {
  clock = manualClock();
  launches = [];
  fate = {};
  await start();
});

afterEach(() => marathon.close());

const put = (app: object) => marathon.call("PUT", "/v2/apps/a?force=true", app);
const app = async () => (await marathon.call("GET", "/v2/apps/a?embed=app.readiness")).body.app;
const tasks = async (): Promise<{ id: string; state: string; version: string; startedAt?: string }[]> =>
  (await app()).tasks;
const isDeployed = async () => (await app()).deployments.length === 0;

/** Lets time pass in steps of a quarter of a second, so that whatever it causes happens at its own time. */
async function pass(seconds: number, look: () => void | Promise<void> = () => undefined): Promise<void> {
  for (let step = 0; step < seconds * 4; step++) {
    await clock.advance(250);
    await look();
  }
}

describe("the delay between launches of an app that fails", () => {
  const failing = { cmd: "fail", backoffSeconds: 1, backoffFactor: 2, maxLaunchDelaySeconds: 8 };

  beforeEach(() => {
    fate = { endsAfterMs: 0 };
  });

  it.each([
    ["doubles up to its longest", {}, [0, 1, 3, 7, 15, 23, 31]],
    ["stays where its factor is one", { backoffFactor: 1, backoffSeconds: 5 }, [0, 5, 10, 15, 20, 25, 30]],
    ["is never longer than the longest", { backoffSeconds: 60 }, [0, 8, 16, 24]],
  ])("%s", async (_, more, expected) => {
    await put({ ...failing, ...more });
    await pass(31);
    expect(launches).toEqual(expected);
  });

  it("is told by the queue, in whole seconds", async () => {
    await put({ ...failing, backoffSeconds: 6 });
    await pass(0.5);
    const { queue } = (await marathon.call("GET", "/v2/queue")).body;
    expect(queue.map((one: { count: number; delay: object }) => [one.count, one.delay])).toEqual([
      [1, { timeLeftSeconds: 6, overdue: false }],
    ]);
  });

  it.each<[string, () => Promise<unknown>, number[]]>([
    ["a change of its configuration", () => put({ ...failing, env: { A: "1" } }), [0, 1, 3, 4, 5, 7]],
    ["its restart", () => marathon.call("POST", "/v2/apps/a/restart?force=true"), [0, 1, 3, 4, 5, 7]],
    ["the end of its delay by hand", () => marathon.call("DELETE", "/v2/queue//a/delay"), [0, 1, 3, 4, 5, 7]],
  ])("starts afresh with %s", async (_, reset, expected) => {
    await put(failing);
    await pass(4);
    await reset();
    await pass(4);
    expect(launches).toEqual(expected);
  });

  it("is kept when only the number of instances changes", async () => {
    await put(failing);
    await pass(4);
    await put({ ...failing, instances: 2 });
    await pass(3);
    expect(launches).toEqual([0, 1, 3, 7, 7]);
  });
});

describe("when an app shrinks", () => {
  it.each([
    ["YOUNGEST_FIRST", ["1", "2"]],
    ["OLDEST_FIRST", ["3", "4"]],
  ])("%s leaves the others", async (killSelection, expected) => {
    const names = new Map<string, string>();
    for (const [index, instances] of [1, 2, 3, 4].entries()) {
      await put({ cmd: "run it", instances, killSelection });
      await pass(1);
      for (const { id } of await tasks()) if (!names.has(id)) names.set(id, String(index + 1));
    }
    await put({ cmd: "run it", instances: 2, killSelection });
    await pass(1);
    expect((await tasks()).map(({ id }) => names.get(id)).sort()).toEqual(expected);
  });

  it("lets those go first that do not run yet", async () => {
    await put({ cmd: "run it", instances: 2, killSelection: "OLDEST_FIRST" });
    await pass(1);
    const old = (await tasks()).map(({ id }) => id).sort();
    fate = { startDelayMs: 60_000 };
    await put({ cmd: "run it", instances: 4, killSelection: "OLDEST_FIRST" });
    await pass(1);
    await put({ cmd: "run it", instances: 2, killSelection: "OLDEST_FIRST" });
    await pass(1);
    expect((await tasks()).map(({ id }) => id).sort()).toEqual(old);
  });
});

describe("a rolling upgrade", () => {
  const CHECK = { protocol: "HTTP", path: "/", intervalSeconds: 1, gracePeriodSeconds: 300 };

  it.each([
    // instances, minimumHealthCapacity, maximumOverCapacity → fewest healthy, most at a time
    [4, 1, 1, 4, 8],
    [4, 0.5, 0, 2, 4],
    [4, 1, 0, 4, 5],
    [4, 0, 0, 0, 4],
    [4, 0.5, 0.5, 2, 6],
    [4, 1, 0.5, 4, 6],
    [1, 0.5, 0, 1, 2],
    [1, 1, 1, 1, 2],
    [10, 0.1, 0, 1, 10],
  ])(
    "of %d with min=%d over=%d has never fewer than %d healthy nor more than %d",
    async (instances, minimumHealthCapacity, maximumOverCapacity, fewest, most) => {
      const upgradeStrategy = { minimumHealthCapacity, maximumOverCapacity };
      const spec = { cmd: "run it", instances, upgradeStrategy, healthChecks: [CHECK] };
      fate = { startDelayMs: 1000, stopMs: 500, healthy: () => true };
      await put(spec);
      await pass(5);
      expect(await isDeployed()).toBe(true);

      await put({ ...spec, env: { A: "1" } });
      const seen: [number, number][] = [];
      let over = false;
      for (let round = 0; round < 100 && !over; round++)
        await pass(0.5, async () => {
          const { tasksHealthy, tasks: all, deployments } = await app();
          const healthy = all.filter((task: { state: string }) => task.state === "TASK_RUNNING").length;
          seen.push([Math.min(tasksHealthy, healthy), all.length]);
          over = deployments.length === 0;
        });
      expect([
        Math.min(...seen.map(([healthy]) => healthy)),
        Math.max(...seen.map(([, all]) => all)),
      ]).toEqual([fewest, most]);
      const { version } = await app();
      expect((await tasks()).map((task) => task.version)).toEqual(Array(instances).fill(version));
    },
  );

  it("keeps the old ones as long as the new ones fail", async () => {
    await put({ cmd: "run it", instances: 2 });
    await pass(1);
    const old = (await tasks()).map(({ id }) => id).sort();
    fate = { startDelayMs: 1000, endsAfterMs: 500, healthy: () => false };
    await put({ cmd: "fail", instances: 2, healthChecks: [CHECK] });
    await pass(20);
    const left = (await tasks()).map(({ id }) => id);
    expect([old.every((id) => left.includes(id)), await isDeployed()]).toEqual([true, false]);
  });
});

describe("a health check", () => {
  const check = { protocol: "HTTP", path: "/", intervalSeconds: 10, gracePeriodSeconds: 0 };

  it.each([
    // maxConsecutiveFailures, gracePeriodSeconds → when the second task is launched; undefined: never
    [3, 0, 35],
    [1, 0, 15],
    [3, 20, 55],
    [0, 0, undefined],
  ])(
    "that fails with maxConsecutiveFailures=%d and grace=%d has the task killed after %s s",
    async (maxConsecutiveFailures, gracePeriodSeconds, killed) => {
      fate = { healthy: () => false };
      const killings = await marathon.events("?event_type=unhealthy_instance_kill_event");
      await put({ cmd: "run it", healthChecks: [{ ...check, maxConsecutiveFailures, gracePeriodSeconds }] });
      await pass(60);
      expect(launches).toEqual(killed === undefined ? [0] : expect.arrayContaining([0, killed]));
      expect(launches[1]).toBe(killed);
      await expect.poll(() => killings.length > 0, { timeout: 10_000 }).toBe(killed !== undefined);
    },
  );

  it("holds the deployment until it passes, and tells the counts", async () => {
    fate = { healthy: (asked) => asked >= 2 };
    await put({ cmd: "run it", healthChecks: [{ ...check, gracePeriodSeconds: 300 }] });
    await pass(24);
    expect([await isDeployed(), (await app()).tasksHealthy]).toEqual([false, 0]);
    await pass(1);
    expect([await isDeployed(), (await app()).tasksHealthy]).toEqual([true, 1]);
  });
});

it("holds a deployment until its instances are ready, showing the answers", async () => {
  fate = { ready: (asked) => asked >= 3 };
  await put({
    cmd: "run it",
    portDefinitions: [{ port: 0, name: "http-api" }],
    readinessChecks: [{ intervalSeconds: 2, timeoutSeconds: 1 }],
  });
  await pass(7);
  const [deployment] = (await marathon.call("GET", "/v2/deployments")).body;
  expect([
    deployment.currentActions[0].readinessCheckResults.map((one: { ready: boolean }) => one.ready),
    (await app()).readinessCheckResults[0].ready,
  ]).toEqual([[false], false]);
  await pass(1);
  expect([await isDeployed(), (await app()).readinessCheckResults[0].ready]).toEqual([true, true]);
});

it("starts a task again that ends, its last failure told", async () => {
  fate = { endsAfterMs: 10_000 };
  await put({ cmd: "run it" });
  await pass(10);
  expect((await app()).lastTaskFailure).toMatchObject({
    state: "TASK_FAILED",
    message: "Command exited with status 1",
  });
  await pass(12);
  expect(launches).toEqual([0, 11]);
});
