import { manualClock } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";
import { chronosFixture, eventually, jobsOf, send } from "./chronos-fixture.ts";
import type { EmbeddedChronos } from "./embedded-chronos.ts";
import type { RunRequest, Simulation } from "./executor.ts";

const HOUR = 3_600_000;
const { start, clean } = chronosFixture();
afterEach(clean);

interface World {
  chronos: EmbeddedChronos;
  clock: ReturnType<typeof manualClock>;
  /** Ids of the tasks that ran, in order. */
  ran: string[];
}

/** A 3.x on a clock that stands at 2026-01-01T00:00:00Z. */
async function world(simulate?: Simulation, options = {}): Promise<World> {
  const clock = manualClock();
  const ran: string[] = [];
  const note: Simulation = (request: RunRequest) => {
    ran.push(request.task.id);
    return simulate?.(request) ?? { durationMs: 0, outcome: { state: "finished" } };
  };
  return { chronos: await start({ clock, execution: "simulated", simulate: note, ...options }), clock, ran };
}

/** Posts jobs and lets the loader show them. */
async function post({ chronos, clock }: World, ...jobs: Record<string, unknown>[]): Promise<void> {
  for (const job of jobs) {
    const path = "parents" in job ? "dependency" : "iso8601";
    const { status, text } = await send(chronos, `POST /v1/scheduler/${path}`, { command: "true", ...job });
    expect({ status, text }).toEqual({ status: 204, text: "" });
  }
  await clock.advance(5);
}

async function job({ chronos }: World, name: string): Promise<Record<string, unknown>> {
  return (await jobsOf(chronos))[name] ?? {};
}

function jobWhere(world: World, name: string, wanted: Record<string, unknown>) {
  return eventually(
    () => job(world, name),
    (seen) => Object.entries(wanted).every(([key, value]) => seen[key] === value),
  );
}

const fails: Simulation = () => ({ durationMs: 0, outcome: { state: "failed", message: "no" } });
const takesLong: Simulation = () => ({ durationMs: 10 * HOUR, outcome: { state: "finished" } });

describe("a scheduled job", () => {
  it("runs just after its start and has its schedule rewritten", async () => {
    const here = await world();
    await post(here, { name: "hourly", schedule: "R/2026-01-01T01:00:00Z/PT1H" });
    await here.clock.advance(HOUR - 5);
    expect(here.ran).toEqual([]);
    await here.clock.advance(1);
    expect(await jobWhere(here, "hourly", { successCount: 1 })).toMatchObject({
      schedule: "R/2026-01-01T02:00:00.000Z/PT1H",
      lastSuccess: "2026-01-01T01:00:00.001Z",
    });
    expect(here.ran).toEqual(["ct:1767229200001:0:hourly:"]);
  });

  it("runs at once when its start is past, once for all it has missed", async () => {
    const here = await world();
    await post(here, { name: "late", schedule: "R/2025-01-01T00:30:00Z/PT1H" });
    expect(await jobWhere(here, "late", { successCount: 1 })).toMatchObject({
      schedule: "R/2026-01-01T00:30:00.000Z/PT1H",
    });
    expect(here.ran).toHaveLength(1);
  });

  it("runs at every post when its start is empty", async () => {
    const here = await world();
    await post(here, { name: "empty", schedule: "R//PT1H" });
    await jobWhere(here, "empty", { successCount: 1 });
    await post(here, { name: "empty", schedule: "R//PT1H", successCount: 7 });
    await jobWhere(here, "empty", { successCount: 8 });
    expect(here.ran).toHaveLength(2);
  });

  it("counts down and is disabled after its last successful run", async () => {
    const here = await world();
    await post(here, { name: "twice", schedule: "R2/2025-12-31T23:30:00Z/PT1H" });
    expect(await jobWhere(here, "twice", { successCount: 1 })).toMatchObject({
      schedule: "R1/2026-01-01T00:30:00.000Z/PT1H",
      disabled: false,
    });
    await here.clock.advance(HOUR);
    expect(await jobWhere(here, "twice", { successCount: 2, disabled: true })).toMatchObject({
      schedule: "R0/2026-01-01T01:30:00.000Z/PT1H",
    });
    await here.clock.advance(10 * HOUR);
    expect(here.ran).toHaveLength(2);
  });

  it("does not run while it is disabled", async () => {
    const here = await world();
    await post(here, { name: "off", schedule: "R/2025-01-01T00:00:00Z/PT1H", disabled: true });
    await here.clock.advance(3 * HOUR);
    await send(here.chronos, "PUT /v1/scheduler/job/off");
    await here.clock.advance(HOUR);
    expect({ ran: here.ran, schedule: (await job(here, "off"))["schedule"] }).toEqual({
      ran: [],
      schedule: "R/2025-01-01T00:00:00Z/PT1H",
    });
  });

  it("uses up a repetition when it is run by hand", async () => {
    const here = await world();
    await post(here, { name: "manual", schedule: "R3/2026-02-01T00:00:00Z/P1D" });
    expect((await send(here.chronos, "PUT /v1/scheduler/job/manual?arguments=-v%20x")).status).toBe(204);
    await here.clock.advance(1);
    expect(await jobWhere(here, "manual", { successCount: 1 })).toMatchObject({
      schedule: "R2/2026-02-01T00:00:00.000Z/P1D",
    });
    expect(here.ran).toEqual(["ct:1767225600005:0:manual:-v x"]);
  });

  it("does not overlap itself unless it is concurrent, and catches up when the run has ended", async () => {
    const here = await world(() => ({ durationMs: 2.5 * HOUR, outcome: { state: "finished" } }));
    const schedule = "R/2025-12-31T23:59:00Z/PT1H";
    await post(here, { name: "single", schedule }, { name: "many", schedule, concurrent: true });
    await eventually(
      async () => here.ran.length,
      (count) => count === 2,
    );
    for (let half = 0; half < 4; half++) await here.clock.advance(HOUR / 2);
    await eventually(
      async () => here.ran.length,
      (count) => count === 4,
    );
    expect(here.ran.map((id) => id.split(":")[3]).sort()).toEqual(["many", "many", "many", "single"]);
    const { json } = await send(here.chronos, "GET /v1/scheduler/jobs/summary");
    expect((json as { jobs: { name: string; state: string }[] }).jobs.map((one) => one.state)).toEqual([
      "1 running",
      "3 running",
    ]);
    await here.clock.advance(HOUR / 2);
    await jobWhere(here, "single", { successCount: 1, schedule: "R/2026-01-01T02:59:00.000Z/PT1H" });
  });
});

describe("a failing run", () => {
  it("is retried after a minute while attempts are left, then counts once", async () => {
    const here = await world(fails);
    await post(here, { name: "bad", schedule: "R1//PT1H", retries: 2 });
    await eventually(
      async () => here.ran.length,
      (count) => count === 1,
    );
    for (const attempts of [2, 3]) {
      await eventually(
        async () => here.clock.sleepers(),
        (count) => count === 1,
      );
      expect(await job(here, "bad")).toMatchObject({ errorCount: 0, lastError: "" });
      await here.clock.advance(60_000);
      await eventually(
        async () => here.ran.length,
        (count) => count === attempts,
      );
    }
    expect(await jobWhere(here, "bad", { errorCount: 1 })).toMatchObject({
      errorsSinceLastSuccess: 1,
      successCount: 0,
      disabled: false,
    });
    expect(here.ran.map((id) => id.split(":")[2])).toEqual(["0", "1", "2"]);
  });

  it("is not retried while an earlier error stands", async () => {
    const here = await world(fails);
    await post(here, {
      name: "bad",
      schedule: "R1//PT1H",
      retries: 2,
      lastError: "2025-12-01T00:00:00.000Z",
    });
    await jobWhere(here, "bad", { errorCount: 1, lastError: "2026-01-01T00:00:00.005Z" });
    expect(here.ran).toHaveLength(1);
  });

  it("enables a job that was disabled meanwhile, as Chronos does", async () => {
    const here = await world(() => ({ durationMs: 1000, outcome: { state: "failed", message: "no" } }));
    const spec = { name: "bad", schedule: "R1/2025-01-01T00:00:00Z/PT1H", retries: 0 };
    await post(here, spec);
    await eventually(
      async () => here.ran.length,
      (count) => count === 1,
    );
    await post(here, { ...spec, disabled: true });
    await here.clock.advance(1000);
    await jobWhere(here, "bad", { errorCount: 1, disabled: false });
  });

  it("tells its reason in the history", async () => {
    const here = await world(fails);
    await post(here, { name: "bad", schedule: "R1//PT1H", retries: 0 });
    await jobWhere(here, "bad", { errorCount: 1 });
    const { json } = await send(here.chronos, "GET /v1/scheduler/job/stat/bad");
    expect(json).toMatchObject({
      taskStatHistory: [
        {
          taskId: here.ran[0],
          jobName: "bad",
          slaveId: "local",
          startTime: "01/01/26 00:00:00",
          endTime: "01/01/26 00:00:00",
          duration: "0s",
          status: "Fail",
          message: "no",
        },
      ],
    });
  });
});

describe("dependent jobs", () => {
  const parent = (name: string) => ({ name, schedule: "R/2030-01-01T00:00:00Z/P1D" });
  const run = (here: World, name: string) => send(here.chronos, `PUT /v1/scheduler/job/${name}`);

  it("run after their parent's success", async () => {
    const here = await world();
    await post(here, parent("a"), { name: "child", parents: ["a"] });
    await run(here, "a");
    await here.clock.advance(1);
    await jobWhere(here, "child", { successCount: 1 });
  });

  it("do not run after a failure, unless it is soft", async () => {
    const here = await world(({ job }) =>
      job.name.startsWith("bad")
        ? { durationMs: 0, outcome: { state: "failed", message: "no" } }
        : { durationMs: 0, outcome: { state: "finished" } },
    );
    await post(
      here,
      { ...parent("bad"), retries: 0 },
      { ...parent("bad-soft"), retries: 0, softError: true },
      { name: "child", parents: ["bad"] },
      { name: "soft-child", parents: ["bad-soft"] },
    );
    await run(here, "bad");
    await run(here, "bad-soft");
    await here.clock.advance(1);
    await jobWhere(here, "bad", { errorCount: 1 });
    await jobWhere(here, "soft-child", { successCount: 1 });
    expect((await job(here, "child"))["successCount"]).toBe(0);
  });

  it("wait until every parent has run as often", async () => {
    const here = await world();
    await post(here, parent("a"), parent("b"), { name: "child", parents: ["a", "b"] });
    for (const [index, name] of ["a", "a", "b"].entries()) {
      expect((await job(here, "child"))["successCount"]).toBe(0);
      await run(here, name);
      await here.clock.advance(1);
      await jobWhere(here, name, { successCount: name === "b" ? 1 : index + 1 });
    }
    await jobWhere(here, "child", { successCount: 1 });
    expect(here.ran).toHaveLength(4);
  });

  it("run when somebody marks the parent as successful", async () => {
    const here = await world();
    await post(here, parent("a"), { name: "child", parents: ["a"] });
    expect((await send(here.chronos, "PUT /v1/scheduler/job/success/a")).text).toBe(
      "marked job a as successful: true",
    );
    await here.clock.advance(1);
    await jobWhere(here, "child", { successCount: 1 });
    expect(here.ran).toHaveLength(1);
  });
});

describe("killing", () => {
  it("ends a run that then counts neither way", async () => {
    const here = await world(takesLong);
    await post(here, { name: "long", schedule: "R1//PT1H" });
    await eventually(
      async () => here.ran.length,
      (count) => count === 1,
    );
    expect((await send(here.chronos, "DELETE /v1/scheduler/task/kill/long")).status).toBe(204);
    const { json } = await eventually(
      () => send(here.chronos, "GET /v1/scheduler/job/stat/long"),
      ({ text }) => text.includes('"Fail"'),
    );
    expect(json).toMatchObject({ taskStatHistory: [{ status: "Fail", message: "killed" }] });
    expect(await job(here, "long")).toMatchObject({ successCount: 0, errorCount: 0, lastError: "" });
  });

  it("is what happens to a run beyond its maximum time, which counts as a failure", async () => {
    const here = await world(takesLong);
    await post(here, { name: "long", schedule: "R1//PT1H", maxCompletionTime: 5000, retries: 0 });
    await eventually(
      async () => here.ran.length,
      (count) => count === 1,
    );
    await eventually(
      async () => here.clock.sleepers(),
      (count) => count === 2,
    );
    await here.clock.advance(5000);
    await jobWhere(here, "long", { errorCount: 1 });
  });

  it("comes with the deletion of the job", async () => {
    const here = await world(takesLong);
    await post(here, { name: "long", schedule: "R1//PT1H" });
    await eventually(
      async () => here.ran.length,
      (count) => count === 1,
    );
    expect((await send(here.chronos, "DELETE /v1/scheduler/job/long")).status).toBe(204);
    expect(await jobsOf(here.chronos)).toEqual({});
    const { json } = await eventually(
      () => send(here.chronos, "GET /metrics"),
      ({ text }) => text.includes('"tasks.running":{"value":0}'),
    );
    expect(json).toMatchObject({ gauges: { "jobs.count": { value: 0 } } });
  });
});

describe("the queue", () => {
  it("lets no more run than there is room for, those of high priority first", async () => {
    const here = await world(() => ({ durationMs: 1000, outcome: { state: "finished" } }), {
      settings: { maxRunning: 1 },
    });
    const schedule = "R1/2026-01-01T01:00:00Z/PT1H";
    await post(
      here,
      { name: "one", schedule },
      { name: "two", schedule },
      { name: "vip", schedule, highPriority: true },
    );
    for (const name of ["one", "two", "vip"]) await send(here.chronos, `PUT /v1/scheduler/job/${name}`);
    for (const count of [1, 2, 3]) {
      await eventually(
        async () => here.ran.length,
        (seen) => seen === count,
      );
      await eventually(
        async () => here.clock.sleepers(),
        (sleepers) => sleepers === 2,
      );
      await here.clock.advance(1000);
    }
    expect(here.ran.map((id) => id.split(":")[3])).toEqual(["one", "vip", "two"]);
  });
});
