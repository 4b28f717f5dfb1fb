import { afterEach, describe, expect, it } from "vitest";
import { chronosFixture } from "./chronos-fixture.ts";
import { simulatedWorld } from "./simulated-world.ts";

const fixture = chronosFixture();
afterEach(fixture.clean);

const HOUR = 3_600_000;

describe("a scheduled job", () => {
  it("runs just after its start and has its schedule rewritten", async () => {
    const here = await simulatedWorld(fixture);
    await here.post({ name: "hourly", schedule: "R/2026-01-01T01:00:00Z/PT1H" });
    await here.clock.advance(HOUR - 5);
    expect(here.ran).toEqual([]);
    await here.clock.advance(1);
    expect(await here.jobWhere("hourly", { successCount: 1 })).toMatchObject({
      schedule: "R/2026-01-01T02:00:00.000Z/PT1H",
      lastSuccess: "2026-01-01T01:00:00.001Z",
    });
    expect(here.ran).toEqual(["ct:1767229200001:0:hourly:"]);
  });

  it("runs at once when its start is past, once for all it has missed", async () => {
    const here = await simulatedWorld(fixture);
    await here.post({ name: "late", schedule: "R/2025-01-01T00:30:00Z/PT1H" });
    expect(await here.jobWhere("late", { successCount: 1 })).toMatchObject({
      schedule: "R/2026-01-01T00:30:00.000Z/PT1H",
    });
    expect(here.ran).toHaveLength(1);
  });

  it("runs at every post when its start is empty", async () => {
    const here = await simulatedWorld(fixture);
    await here.post({ name: "empty", schedule: "R//PT1H" });
    await here.jobWhere("empty", { successCount: 1 });
    await here.post({ name: "empty", schedule: "R//PT1H", successCount: 7 });
    await here.jobWhere("empty", { successCount: 8 });
    expect(here.ran).toHaveLength(2);
  });

  it("counts down and is disabled after its last successful run", async () => {
    const here = await simulatedWorld(fixture);
    await here.post({ name: "twice", schedule: "R2/2025-12-31T23:30:00Z/PT1H" });
    expect(await here.jobWhere("twice", { successCount: 1 })).toMatchObject({
      schedule: "R1/2026-01-01T00:30:00.000Z/PT1H",
      disabled: false,
    });
    await here.clock.advance(HOUR);
    expect(await here.jobWhere("twice", { successCount: 2, disabled: true })).toMatchObject({
      schedule: "R0/2026-01-01T01:30:00.000Z/PT1H",
    });
    await here.clock.advance(10 * HOUR);
    expect(here.ran).toHaveLength(2);
  });

  it("does not run while it is disabled", async () => {
    const here = await simulatedWorld(fixture);
    await here.post({ name: "off", schedule: "R/2025-01-01T00:00:00Z/PT1H", disabled: true });
    await here.clock.advance(3 * HOUR);
    await here.call("PUT /job/off");
    await here.clock.advance(HOUR);
    expect({ ran: here.ran, schedule: (await here.job("off")).schedule }).toEqual({
      ran: [],
      schedule: "R/2025-01-01T00:00:00Z/PT1H",
    });
  });

  it("uses up a repetition when it is run by hand", async () => {
    const here = await simulatedWorld(fixture);
    await here.post({ name: "manual", schedule: "R3/2026-02-01T00:00:00Z/P1D" });
    expect((await here.call("PUT /job/manual?arguments=-v%20x")).status).toBe(204);
    await here.clock.advance(1);
    expect(await here.jobWhere("manual", { successCount: 1 })).toMatchObject({
      schedule: "R2/2026-02-01T00:00:00.000Z/P1D",
    });
    expect(here.ran).toEqual(["ct:1767225600005:0:manual:-v x"]);
  });

  it("does not overlap itself unless it is concurrent, and catches up when the run has ended", async () => {
    const here = await simulatedWorld(fixture, () => ({
      durationMs: 2.5 * HOUR,
      outcome: { state: "finished" },
    }));
    const schedule = "R/2025-12-31T23:59:00Z/PT1H";
    await here.post({ name: "single", schedule }, { name: "many", schedule, concurrent: true });
    await here.untilRan(2);
    for (let half = 0; half < 4; half++) await here.clock.advance(HOUR / 2);
    await here.untilRan(4);
    expect(here.ran.map((id) => id.split(":")[3]).sort()).toEqual(["many", "many", "many", "single"]);
    const { json } = await here.call("GET /jobs/summary");
    expect((json as { jobs: { name: string; state: string }[] }).jobs.map((one) => one.state)).toEqual([
      "1 running",
      "3 running",
    ]);
    await here.clock.advance(HOUR / 2);
    await here.jobWhere("single", { successCount: 1, schedule: "R/2026-01-01T02:59:00.000Z/PT1H" });
    await here.untilRan(5);
    expect(here.ran[4]).toBe("ct:1767234600005:0:single:");
  });
});

describe("the queue", () => {
  it("lets no more run than there is room for, those of high priority first", async () => {
    const here = await simulatedWorld(fixture, () => ({ durationMs: 1000, outcome: { state: "finished" } }), {
      settings: { maxRunning: 1 },
    });
    const schedule = "R1/2026-01-01T01:00:00Z/PT1H";
    await here.post(
      { name: "one", schedule },
      { name: "two", schedule },
      { name: "vip", schedule, highPriority: true },
    );
    for (const name of ["one", "two", "vip"]) await here.call(`PUT /job/${name}`);
    for (const count of [1, 2, 3]) {
      await here.untilRan(count);
      await here.untilAsleep(2);
      await here.clock.advance(1000);
    }
    expect(here.ran.map((id) => id.split(":")[3])).toEqual(["one", "vip", "two"]);
  });
});
