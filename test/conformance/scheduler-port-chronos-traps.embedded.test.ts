import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobId, type JsonObject, jobId, type LiveJob, systemClock } from "@sluice/core";
import { type ChronosRunOutcome, chronosAnswers, embeddedChronos, faults } from "@sluice/embedded";
import { chronos, chronosFormat } from "@sluice/schedulers";
import { expect, it, onTestFinished, vi } from "vitest";
import { byHand, optionsFor } from "./scheduler-port-server.ts";

const MARK = "production";
/** Each began long ago, so that it runs at once when it is created, and is moved on by running. */
const hourly = (change: JsonObject = {}): JsonObject => ({
  ...{ name: "a", command: "old", schedule: "R/2026-01-01T00:30:00Z/PT60M", retries: 0 },
  ...change,
});
const COUNTERS = ["successCount", "errorCount", "errorsSinceLastSuccess", "lastSuccess", "lastError"];

it("keeps every counter and the live schedule over a write, and runs nothing by it", async () => {
  const t = await start();
  await t.apply(hourly());
  await t.says("a", /last run succeeded/);
  t.fail();
  await t.byHand("PUT", "/job/a");
  await t.says("a", /1 run failed/);
  const before = await t.shown("a");
  expect(t.runs).toEqual(["old", "old"]);
  await t.apply(hourly({ command: "new" }));
  const after = await t.shown("a");
  const kept = (job: JsonObject) => [...COUNTERS, "schedule"].map((key) => job[key]);
  expect(kept(after)).toEqual(kept(before));
  expect(after).toMatchObject({ command: "new", successCount: 1, errorCount: 1 });
  // Another job that is due at once runs, so a run of this one would have been seen by then.
  await t.apply(hourly({ name: "b", command: "other" }));
  await vi.waitFor(() => expect(t.runs).toEqual(["old", "old", "other"]));
});

it("is well after the job that failed was mended, and not after it failed again", async () => {
  const t = await start();
  t.fail();
  await t.apply(hourly());
  await t.says("a", /1 run failed since the last success/);
  expect((await t.live("a"))?.observed.health).toBe("Degraded");
  await t.apply(hourly({ command: "new" }));
  expect((await t.live("a"))?.observed.health).toBe("Healthy");
  await t.byHand("PUT", "/job/a");
  await t.says("a", /2 runs failed since the last success/);
  expect((await t.live("a"))?.observed.health).toBe("Degraded");
});

it("sees no difference to a schedule that running has moved on, and a difference in its phase", async () => {
  const t = await start();
  await t.apply(hourly());
  await t.says("a", /last run succeeded/);
  const live = (await t.live("a"))?.spec ?? {};
  expect(live.schedule).not.toBe(hourly().schedule);
  expect(chronosFormat().compare(hourly(), live, [])).toEqual([]);
  const moved = hourly({ schedule: "R/2026-01-01T00:45:00Z/PT1H" });
  expect(
    chronosFormat()
      .compare(moved, live, [])
      .map((one) => one.path),
  ).toEqual(["schedule"]);
});

it("says that a job which somebody disabled is suspended, and that it differs", async () => {
  const t = await start();
  await t.apply(hourly());
  await t.byHand("POST", "/iso8601", { ...(await t.shown("a")), disabled: true });
  await t.says("a", /^disabled$/);
  const live = await t.live("a");
  expect(live?.observed.health).toBe("Suspended");
  expect(
    chronosFormat()
      .compare(hourly(), live?.spec ?? {}, [])
      .map((one) => one.path),
  ).toEqual(["disabled"]);
});

it("writes parents before their children, no circle, and removes children before their parents", async () => {
  const t = await start();
  const child = (name: string, ...parents: string[]) => ({ name, command: "x", parents });
  await expect(t.apply(child("b", "a"))).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
  await t.apply(hourly());
  await t.apply(child("b", "a"));
  await t.apply(child("c", "b"));
  await expect(t.apply(child("b", "c"))).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
  await expect(t.apply({ name: "a", command: "x", parents: ["c"] })).rejects.toMatchObject({
    code: "SCHEDULER_CONFLICT",
  });
  for (const name of ["a", "b"])
    await expect(t.scheduler.remove({ id: jobId(name), mark: MARK })).rejects.toMatchObject({
      code: "SCHEDULER_CONFLICT",
    });
  expect(await t.names()).toEqual(["a", "b", "c"]);
  for (const name of ["c", "b", "a"]) await t.scheduler.remove({ id: jobId(name), mark: MARK });
  expect(await t.names()).toEqual([]);
});

it.each([
  ["a stack trace", chronosAnswers.stackTrace()],
  ["no leader", chronosAnswers.noLeader()],
  ["a page of HTML", chronosAnswers.tooBusy()],
])("takes no list from %s, and repeats none of it but a line", async (_what, answer) => {
  const t = await start();
  await t.apply(hourly());
  const mend = t.faults.inject({ mishap: { answer }, method: "GET" });
  const listed = t.scheduler.list({ mark: MARK });
  await expect(listed).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
  await expect(listed).rejects.not.toThrow(/JobScheduler|html/);
  mend();
  expect((await t.scheduler.list({ mark: MARK })).map((job) => job.id)).toEqual(["a"]);
});

async function start() {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-traps-"));
  const given = faults();
  const runs: string[] = [];
  let outcome: ChronosRunOutcome = { state: "finished" };
  const server = await embeddedChronos({
    ...{ dataDir, execution: "simulated", faults: given },
    simulate: ({ job }) => {
      runs.push(String(job.command));
      return { durationMs: 0, outcome };
    },
  });
  onTestFinished(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const scheduler = chronos({ ...optionsFor(server.address), clock: systemClock });
  const hand = (method: string, path: string, body?: unknown) =>
    byHand(method, `${server.address}/v1/scheduler${path}`, body);
  const live = async (name: string): Promise<LiveJob | undefined> =>
    (await scheduler.list({ ids: [jobId(name)] }))[0];
  return {
    ...{ scheduler, faults: given, byHand: hand, live, runs },
    fail: () => {
      outcome = { state: "failed", message: "exited with 1" };
    },
    async apply(spec: JsonObject): Promise<void> {
      const id: JobId = jobId(String(spec.name));
      await scheduler.apply({ id, spec, mark: MARK, live: await live(id), ignore: [] });
    },
    says: (name: string, words: RegExp) =>
      vi.waitFor(async () => expect((await live(name))?.observed.message).toMatch(words), { timeout: 5_000 }),
    shown: async (name: string) => (await hand("GET", `/job/${name}`)) as JsonObject,
    names: async () => ((await hand("GET", "/jobs")) as { name: string }[]).map((one) => one.name).sort(),
  };
}
