import { afterEach, describe, expect, it } from "vitest";
import { chronosFixture, eventually, jobsOf, send } from "./chronos-fixture.ts";
import type { Simulation } from "./executor.ts";
import { fails, simulatedWorld } from "./simulated-world.ts";

const fixture = chronosFixture();
afterEach(fixture.clean);

const HOUR = 3_600_000;
const takesLong: Simulation = () => ({ durationMs: 10 * HOUR, outcome: { state: "finished" } });

describe("a failing run", () => {
  it("is retried after a minute while attempts are left, then counts once", async () => {
    const here = await simulatedWorld(fixture, fails);
    await here.post({ name: "bad", schedule: "R1//PT1H", retries: 2 });
    await here.untilRan(1);
    for (const attempts of [2, 3]) {
      await here.untilAsleep(1);
      expect(await here.job("bad")).toMatchObject({ errorCount: 0, lastError: "" });
      await here.clock.advance(60_000);
      await here.untilRan(attempts);
    }
    expect(await here.jobWhere("bad", { errorCount: 1 })).toMatchObject({
      errorsSinceLastSuccess: 1,
      successCount: 0,
      disabled: false,
    });
    expect(here.ran.map((id) => id.split(":")[2])).toEqual(["0", "1", "2"]);
  });

  it("is not retried while an earlier error stands", async () => {
    const here = await simulatedWorld(fixture, fails);
    await here.post({
      name: "bad",
      schedule: "R1//PT1H",
      retries: 2,
      lastError: "2025-12-01T00:00:00.000Z",
    });
    await here.jobWhere("bad", { errorCount: 1, lastError: "2026-01-01T00:00:00.005Z" });
    expect(here.ran).toHaveLength(1);
  });

  it("enables a job that was disabled meanwhile, as Chronos does", async () => {
    const here = await simulatedWorld(fixture, () => ({
      durationMs: 1000,
      outcome: { state: "failed", message: "no" },
    }));
    const spec = { name: "bad", schedule: "R1/2025-01-01T00:00:00Z/PT1H", retries: 0 };
    await here.post(spec);
    await here.untilRan(1);
    await here.post({ ...spec, disabled: true });
    await here.clock.advance(1000);
    await here.jobWhere("bad", { errorCount: 1, disabled: false });
  });

  it("tells its reason in the history", async () => {
    const here = await simulatedWorld(fixture, fails);
    await here.post({ name: "bad", schedule: "R1//PT1H", retries: 0 });
    await here.jobWhere("bad", { errorCount: 1 });
    const { json } = await here.call("GET /job/stat/bad");
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

describe("killing", () => {
  it("ends a run that then counts neither way", async () => {
    const here = await simulatedWorld(fixture, takesLong);
    await here.post({ name: "long", schedule: "R1//PT1H" });
    await here.untilRan(1);
    expect((await here.call("DELETE /task/kill/long")).status).toBe(204);
    const { json } = await eventually(
      () => here.call("GET /job/stat/long"),
      ({ text }) => text.includes('"Fail"'),
    );
    expect(json).toMatchObject({ taskStatHistory: [{ status: "Fail", message: "killed" }] });
    expect(await here.job("long")).toMatchObject({ successCount: 0, errorCount: 0, lastError: "" });
  });

  it("is what happens to a run beyond its maximum time, which counts as a failure", async () => {
    const here = await simulatedWorld(fixture, takesLong);
    await here.post({ name: "long", schedule: "R1//PT1H", maxCompletionTime: 5000, retries: 0 });
    await here.untilRan(1);
    await here.untilAsleep(2);
    await here.clock.advance(5000);
    await here.jobWhere("long", { errorCount: 1 });
  });

  it("comes with the deletion of the job", async () => {
    const here = await simulatedWorld(fixture, takesLong);
    await here.post({ name: "long", schedule: "R1//PT1H" });
    await here.untilRan(1);
    expect((await here.call("DELETE /job/long")).status).toBe(204);
    expect(await jobsOf(here.chronos)).toEqual({});
    const { json } = await eventually(
      () => send(here.chronos, "GET /metrics"),
      ({ text }) => text.includes('"tasks.running":{"value":0}'),
    );
    expect(json).toMatchObject({ gauges: { "jobs.count": { value: 0 } } });
  });
});
