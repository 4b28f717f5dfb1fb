import { afterEach, describe, expect, it } from "vitest";
import { api, child, job, LATER } from "./api-fixture.ts";
import { chronosFixture } from "./chronos-fixture.ts";

const fixture = chronosFixture();
afterEach(fixture.clean);

describe("3.x", () => {
  it("shows a created job only after the loader's next turn", async () => {
    const { call, jobs, post } = await api(fixture, "3.x");
    await call("POST /iso8601", job("a"));
    expect(await jobs()).toEqual({});
    expect((await call("GET /job/a")).status).toBe(400);
    await post();
    expect(Object.keys(await jobs())).toEqual(["a"]);
  });

  it("writes a job's fields in its order, with its defaults", async () => {
    const { call, post } = await api(fixture, "3.x");
    await post(job("a", { runAsUser: "nobody" }));
    expect((await call("GET /job/a")).text).toBe(
      '{"name":"a","command":"true","shell":true,"executor":"","executorFlags":"","taskInfoData":"","retries":2,' +
        '"owner":"","ownerName":"","description":"","successCount":0,"errorCount":0,"lastSuccess":"","lastError":"",' +
        '"cpus":0.1,"disk":256,"mem":128,"disabled":false,"softError":false,"dataProcessingJobType":false,' +
        '"errorsSinceLastSuccess":0,"fetch":[],"uris":[],"environmentVariables":[],"arguments":[],"highPriority":false,' +
        '"runAsUser":"nobody","concurrent":false,"maxCompletionTime":0,"constraints":[],' +
        '"schedule":"R/2030-01-01T00:00:00Z/P1D","scheduleTimeZone":""}',
    );
  });

  const bad = "Bad Request";
  const java = "java.lang.IllegalArgumentException: requirement failed: ";
  it.each([
    ["POST /iso8601", job("a b"), 400, bad, `${java}the job's name is invalid. Allowed names: '([\\w.-]+)'`],
    ["POST /iso8601", job(""), 400, bad, `${java}the job's name is invalid. Allowed names: '([\\w.-]+)'`],
    [
      "POST /iso8601",
      job("a", { schedule: "daily" }),
      400,
      bad,
      "Cannot parse schedule 'daily' (expected R[n]/start/period)",
    ],
    [
      "POST /iso8601",
      job("old", { schedule: "daily" }),
      400,
      bad,
      "Cannot parse schedule 'daily' (expected R[n]/start/period)",
    ],
    [
      "POST /iso8601",
      job("a", { schedule: "R/1970-01-01T00:00:00Z/P1D" }),
      400,
      bad,
      "Scheduled start date '1970-01-01T00:00:00.000Z' is before 1970-01-01T00:00:01Z",
    ],
    [
      "POST /iso8601",
      job("a", { uris: ["/x"], fetch: [{ uri: "/x" }] }),
      400,
      bad,
      "Tried to add both uri (deprecated) and fetch parameters on a",
    ],
    [
      "POST /iso8601",
      { ...job("a"), parents: ["old"] },
      400,
      bad,
      "A job with `parents` belongs to /dependency",
    ],
    ["POST /iso8601", ["a"], 400, bad, "The body must be a JSON object"],
    [
      "POST /dependency",
      child("a"),
      500,
      "Internal Server Error",
      "java.lang.Exception: Error, parent does not exist",
    ],
    ["POST /dependency", child("old"), 400, bad, `${java}Error, parent does not exist`],
    [
      "POST /dependency",
      child("old", "none"),
      400,
      bad,
      `${java}JobSchedule old does not have all parents defined!`,
    ],
    [
      "POST /dependency",
      child("old", "below"),
      500,
      "Internal Server Error",
      "java.lang.Exception: the parents of job 'old' form a cycle (below)",
    ],
    [
      "POST /dependency",
      child("self", "self"),
      500,
      "Internal Server Error",
      "a real Chronos server would crash: the parents of job 'self' form a cycle (self)",
    ],
    ["GET /job/none", undefined, 400, bad, `${java}Job 'none' not found`],
    ["GET /job/stat/none", undefined, 400, bad, `${java}Job 'none' not found`],
    ["PUT /job/none", undefined, 400, bad, `${java}Job 'none' not found`],
    ["DELETE /job/none", undefined, 400, bad, `${java}Job 'none' not found`],
    ["DELETE /task/kill/none", undefined, 400, bad, `${java}Job 'none' not found`],
  ])("refuses %s %j with %i", async (request, body, status, phrase, message) => {
    const { call, jobs, post } = await api(fixture, "3.x");
    await post(job("old"), child("below", "old"));
    const before = await jobs();
    expect(await call(request, body)).toMatchObject({ status, json: { status: phrase, message } });
    await post();
    expect(await jobs()).toEqual(before);
  });

  it("answers 405 to PUT of a job, 415 to a body that is not JSON, 400 to broken JSON", async () => {
    const { chronos, call } = await api(fixture, "3.x");
    expect((await call("PUT /iso8601", job("a"))).status).toBe(405);
    expect((await call("PUT /dependency", job("a"))).status).toBe(405);
    const url = `${chronos.address}/v1/scheduler/iso8601`;
    const raw = async (type: string) =>
      (await fetch(url, { method: "POST", body: "{", headers: { "content-type": type } })).status;
    expect([await raw("text/plain"), await raw("application/json")]).toEqual([415, 400]);
  });

  it("marks an unknown job as successful: false, with 200", async () => {
    const { call } = await api(fixture, "3.x");
    expect(await call("PUT /job/success/none")).toMatchObject({
      status: 200,
      text: "marked job none as successful: false",
    });
  });

  it("swaps status and state in the summary", async () => {
    const { call, post } = await api(fixture, "3.x");
    await post(job("a", { lastSuccess: "2025-01-01T00:00:00.000Z" }), child("b", "a"));
    expect((await call("GET /jobs/summary")).json).toEqual({
      jobs: [
        { name: "a", status: "success", state: "idle", schedule: LATER, parents: [], disabled: false },
        { name: "b", status: "fresh", state: "idle", schedule: "", parents: ["a"], disabled: false },
      ],
    });
  });

  it("accepts a dependent job whose parent is missing and hides it until the parent comes", async () => {
    const { jobs, post, call } = await api(fixture, "3.x");
    await post(child("c", "b"), child("b", "a"));
    expect(await jobs()).toEqual({});
    expect((await call("DELETE /job/c")).status).toBe(400);
    await post(job("a"));
    expect(Object.keys(await jobs())).toEqual(["a", "b", "c"]);
  });

  it("refuses the create that closes a circle of hidden jobs", async () => {
    const { post, call, jobs } = await api(fixture, "3.x");
    await post(child("a", "c"), child("b", "a"));
    expect(await call("POST /dependency", child("c", "b"))).toMatchObject({
      status: 500,
      json: { message: "a real Chronos server would crash: the parents of job 'c' form a cycle (b)" },
    });
    await post();
    expect(await jobs()).toEqual({});
  });

  it("makes the children of a deleted scheduled job scheduled, and forgets part of them", async () => {
    const { jobs, post, call } = await api(fixture, "3.x");
    const kept = { retries: 7, owner: "me", cpus: 2, uris: [], softError: true, successCount: 4 };
    const lost = {
      environmentVariables: [{ name: "A", value: "1" }],
      arguments: ["x"],
      shell: false,
      ownerName: "me",
      description: "d",
      concurrent: true,
      constraints: [["rack", "EQUALS", "1"]],
      container: { image: "alpine" },
    };
    await post(job("a", { scheduleTimeZone: "Europe/Berlin" }), job("other"), {
      ...child("b", "a", "other"),
      ...kept,
      ...lost,
    });
    await call("DELETE /job/a");
    const left = await jobs();
    expect(Object.keys(left)).toEqual(["other", "b"]);
    expect(left.b).toMatchObject({ ...kept, schedule: LATER, scheduleTimeZone: "Europe/Berlin" });
    expect(left.b).toMatchObject({
      environmentVariables: [],
      arguments: [],
      shell: true,
      ownerName: "",
      description: "",
      concurrent: false,
      constraints: [],
    });
    expect(left.b).not.toHaveProperty("container");
    expect(left.b).not.toHaveProperty("parents");
    expect((await call("GET /graph/csv")).text).not.toContain("link");
  });
});
