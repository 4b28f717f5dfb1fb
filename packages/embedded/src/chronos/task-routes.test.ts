import { afterEach, describe, expect, it } from "vitest";
import { faults } from "../faults/faults.ts";
import { child, job } from "./api-fixture.ts";
import { type Answer, chronosFixture, eventually, jobsOf, send } from "./chronos-fixture.ts";
import { type EmbeddedChronosOptions, embeddedChronos } from "./embedded-chronos.ts";
import { chronosAnswers } from "./faults.ts";
import { fails, simulatedWorld, succeeds } from "./simulated-world.ts";

const fixture = chronosFixture();
afterEach(fixture.clean);

/** A 2.x server, with what it started. */
async function old(options: Partial<EmbeddedChronosOptions> = {}) {
  const started: string[] = [];
  const chronos = await fixture.start({
    profile: "2.x",
    execution: "simulated",
    simulate(request) {
      started.push(request.task.id);
      return succeeds(request);
    },
    ...options,
  });
  const call = (request: string, body?: unknown): Promise<Answer> =>
    send(chronos, request.replace(" ", " /scheduler"), body);
  const jobs = () => jobsOf(chronos, "/scheduler");
  const untilStarted = (count: number) =>
    eventually(
      async () => started.length,
      (seen) => seen >= count,
    );
  return { chronos, call, jobs, started, untilStarted };
}

const put = (call: (request: string) => Promise<Answer>, name: string) => call(`PUT /job/${name}`);
const path = (id: string) => encodeURIComponent(id);

describe("the run of an async job", () => {
  it("ends when somebody says so, not with its process", async () => {
    const { call, jobs, started, untilStarted } = await old();
    await call("POST /iso8601", job("a", { async: true, retries: 0 }));
    await call("POST /dependency", child("b", "a"));
    await put(call, "a");
    await untilStarted(1);
    expect((await call("GET /graph/csv")).text).toContain("node,a,fresh,1 running\n");
    expect((await call(`PUT /task/${path(started[0] ?? "")}`, { statusCode: 0 })).status).toBe(204);
    await eventually(jobs, (seen) => seen.a?.successCount === 1);
    await untilStarted(2);
    expect(started[1]?.split(":")[3]).toBe("b");
  });

  it("fails when another status is told, and can be killed meanwhile", async () => {
    const { call, jobs, started, untilStarted } = await old();
    await call("POST /iso8601", job("a", { async: true, retries: 0 }));
    await put(call, "a");
    await untilStarted(1);
    await call(`PUT /task/${path(started[0] ?? "")}`, { statusCode: 3 });
    await eventually(jobs, (seen) => seen.a?.errorCount === 1);
    await put(call, "a");
    await untilStarted(2);
    expect((await call("DELETE /task/kill/a")).status).toBe(204);
    await eventually(
      () => call("GET /graph/csv"),
      ({ text }) => text === "node,a,failure,idle\n",
    );
    expect((await jobs()).a).toMatchObject({ successCount: 0, errorCount: 1 });
  });

  it("is refused for an unknown job, and unknown to 3.x", async () => {
    const { call } = await old();
    expect((await call("PUT /task/ct:0:0:none:", { statusCode: 0 })).status).toBe(400);
    const here = await simulatedWorld(fixture);
    expect((await here.call("PUT /task/ct:0:0:none:", { statusCode: 0 })).status).toBe(404);
  });

  it("does not keep the server from stopping", async () => {
    const { chronos, call, untilStarted } = await old();
    await call("POST /iso8601", job("a", { async: true }));
    await put(call, "a");
    await untilStarted(1);
    await chronos.stop();
  });
});

it("empties the queue of 2.x, leaving what runs", async () => {
  const { call, started, untilStarted } = await old({
    simulate: (request) => {
      started.push(request.task.id);
      return { durationMs: 60_000, outcome: { state: "finished" } };
    },
    settings: { maxRunning: 1 },
  });
  await call("POST /iso8601", job("a"));
  await call("POST /iso8601", job("b"));
  await put(call, "a");
  await untilStarted(1);
  await put(call, "b");
  expect((await call("GET /graph/csv")).text).toBe("node,a,fresh,1 running\nnode,b,fresh,queued\n");
  expect((await call("DELETE /task/all")).status).toBe(204);
  expect((await call("GET /graph/csv")).text).toBe("node,a,fresh,1 running\nnode,b,fresh,idle\n");
});

describe("statistics", () => {
  it("give a percentile of every job, the longest first", async () => {
    const times: Record<string, number> = { quick: 1000, slow: 4000 };
    const here = await simulatedWorld(fixture, ({ job: { name } }) => ({
      durationMs: times[name] ?? 0,
      outcome: { state: "finished" },
    }));
    await here.post(job("quick"), job("slow"));
    for (const name of ["quick", "slow"]) await here.call(`PUT /job/${name}`);
    await here.untilRan(2);
    await here.untilAsleep(3);
    await here.clock.advance(5000);
    await here.jobWhere("slow", { successCount: 1 });
    await here.jobWhere("quick", { successCount: 1 });
    expect((await here.call("GET /stats/99thPercentile")).json).toEqual([
      { jobNameLabel: "slow", time: 4 },
      { jobNameLabel: "quick", time: 1 },
    ]);
    expect((await here.call("GET /stats/oddPercentile")).json).toEqual([]);
  });

  it("sum up what a data processing job says it has done, and nobody else's", async () => {
    const here = await simulatedWorld(fixture, () => ({ durationMs: 1000, outcome: { state: "finished" } }));
    await here.post(job("data", { dataProcessingJobType: true }), job("other"));
    await here.call("PUT /job/data");
    await here.untilRan(1);
    const task = path(here.ran[0] ?? "");
    for (const numAdditionalElementsProcessed of [2, 5])
      expect(
        (await here.call(`POST /job/data/task/${task}/progress`, { numAdditionalElementsProcessed })).status,
      ).toBe(204);
    expect((await here.call("GET /job/stat/data")).json).toMatchObject({
      taskStatHistory: [{ numElementsProcessed: 7 }],
    });
    for (const name of ["other", "none"])
      expect((await here.call(`POST /job/${name}/task/${task}/progress`, {})).status).toBe(400);
  });
});

describe("a fault", () => {
  it("answers in Chronos' own words, or resets the connection after the job is accepted", async () => {
    const broken = faults();
    const here = await simulatedWorld(fixture, fails, { faults: broken });
    broken.inject({ mishap: { answer: chronosAnswers.stackTrace() }, method: "POST", times: 1 });
    const answer = await here.call("POST /iso8601", job("a"));
    expect([answer.status, answer.json]).toEqual([
      500,
      {
        status: "Internal Server Error",
        message: expect.stringMatching(/^java\.lang\.RuntimeException: ZooKeeper is gone\n\tat /),
      },
    ]);
    broken.inject({ mishap: { reset: "after" }, method: "POST", times: 1 });
    await expect(here.call("POST /iso8601", job("a"))).rejects.toThrow();
    await here.clock.advance(5);
    expect((await here.call("GET /job/a")).status).toBe(200);
    expect(broken.hits()).toEqual(["POST /v1/scheduler/iso8601", "POST /v1/scheduler/iso8601"]);
  });
});

it("does not share its folder with another server", async () => {
  const dataDir = await fixture.folder();
  await fixture.start({ dataDir, execution: "simulated" });
  await expect(embeddedChronos({ dataDir })).rejects.toThrow(
    `Chronos cannot start: The data folder ${dataDir} is in use by another server.`,
  );
});
