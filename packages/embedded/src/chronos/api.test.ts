import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { manualClock } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";
import { type Answer, chronosFixture, eventually, jobsOf, send } from "./chronos-fixture.ts";
import type { EmbeddedChronos } from "./embedded-chronos.ts";
import { embeddedChronos } from "./embedded-chronos.ts";

const { start, folder, clean } = chronosFixture();
afterEach(clean);

const LATER = "R/2030-01-01T00:00:00Z/P1D";
const job = (name: string, more = {}) => ({ name, command: "true", schedule: LATER, ...more });
const child = (name: string, ...parents: string[]) => ({ name, command: "true", parents });

interface Api {
  chronos: EmbeddedChronos;
  call(request: string, body?: unknown): Promise<Answer>;
  jobs(): Promise<Record<string, Record<string, unknown>>>;
  /** Posts and lets the loader show them. */
  post(...jobs: Record<string, unknown>[]): Promise<void>;
}

async function api(profile: "2.x" | "3.x"): Promise<Api> {
  const clock = manualClock();
  const prefix = profile === "3.x" ? "/v1/scheduler" : "/scheduler";
  const chronos = await start({ clock, profile, execution: "simulated" });
  const call = (request: string, body?: unknown) => send(chronos, request.replace(" ", ` ${prefix}`), body);
  return {
    chronos,
    call,
    jobs: () => jobsOf(chronos, prefix),
    async post(...all) {
      for (const one of all)
        expect((await call(`POST ${"parents" in one ? "/dependency" : "/iso8601"}`, one)).status).toBe(204);
      await clock.advance(5);
    },
  };
}

describe.each(["2.x", "3.x"] as const)("%s", (profile) => {
  it("answers a write with 204 and no body, and replaces on the next", async () => {
    const { call, jobs, post } = await api(profile);
    await post(job("a", { retries: 5, description: "first" }));
    expect(await call("POST /iso8601", job("a"))).toMatchObject({ status: 204, text: "", type: null });
    expect((await jobs())["a"]).toMatchObject({ retries: 2, description: "", successCount: 0 });
  });

  it("takes the counters from the body", async () => {
    const { jobs, post } = await api(profile);
    const counters = {
      successCount: 3,
      errorCount: 2,
      errorsSinceLastSuccess: 1,
      lastSuccess: "2025-01-01T00:00:00.000Z",
    };
    await post(job("a", counters));
    expect((await jobs())["a"]).toMatchObject(counters);
    await post(job("a"));
    expect((await jobs())["a"]).toMatchObject({ successCount: 0, errorCount: 0, lastSuccess: "" });
  });

  it("turns a scheduled job into a dependent one and back", async () => {
    const { jobs, post, call } = await api(profile);
    await post(job("a"), job("b"));
    await post(child("b", "a"));
    expect((await jobs())["b"]).not.toHaveProperty("schedule");
    expect((await call("GET /graph/csv")).text).toBe("node,a,fresh,idle\nnode,b,fresh,idle\nlink,a,b\n");
    await post(job("b"));
    expect((await jobs())["b"]).not.toHaveProperty("parents");
    expect((await call("GET /graph/csv")).text).toBe("node,a,fresh,idle\nnode,b,fresh,idle\n");
  });

  it("deletes; the children of a dependent job inherit its parents", async () => {
    const { jobs, post, call } = await api(profile);
    await post(job("a"), child("b", "a"), child("c", "b"));
    expect(await call("DELETE /job/b")).toMatchObject({ status: 204, text: "" });
    expect(Object.keys(await jobs())).toEqual(["a", "c"]);
    expect((await jobs())["c"]).toMatchObject({ parents: ["a"] });
    expect((await call("DELETE /job/b")).status).toBe(400);
  });

  it("draws the graph", async () => {
    const { post, call } = await api(profile);
    await post(job("a"), child("b", "a"));
    expect((await call("GET /graph/dot")).text).toBe(
      'digraph G {\n  1 [ label="a" ];\n  2 [ label="b" ];\n  1 -> 2;\n}\n',
    );
  });

  it("finds jobs by name, command and any", async () => {
    const { post, call } = await api(profile);
    await post(job("Alpha", { command: "echo one" }), job("beta", { command: "echo two" }), job("gamma"));
    const found = async (query: string) =>
      ((await call(`GET /jobs/search?${query}`)).json as { name: string }[]).map((one) => one.name);
    expect(await found("name=alph")).toEqual(["Alpha"]);
    expect(await found("command=ECHO")).toEqual(["Alpha", "beta"]);
    expect(await found("name=beta&command=one")).toEqual([]);
    expect(await found("name=beta&command=one&any=gam")).toEqual(["gamma"]);
    expect(await found("any=nothing")).toEqual(["Alpha", "beta", "gamma"]);
    expect(await found("limit=1&offset=1")).toEqual(["beta"]);
  });

  it("fills fetch and uris from each other in /jobs only", async () => {
    const { jobs, post, call } = await api(profile);
    await post(job("a", { uris: ["/etc/x"] }));
    const fetch = [{ uri: "/etc/x", executable: false, cache: false, extract: true }];
    expect((await jobs())["a"]).toMatchObject({ uris: ["/etc/x"], fetch });
    expect((await call("GET /jobs/search?name=a")).json).toMatchObject([{ uris: ["/etc/x"], fetch: [] }]);
  });

  it("says who leads and that it is there", async () => {
    const { chronos, call } = await api(profile);
    expect((await call("GET /leader")).json).toEqual({ leader: `127.0.0.1:${chronos.port}` });
    expect(await send(chronos, "GET /ping")).toMatchObject({ status: 200, text: "pong" });
    expect((await send(chronos, "GET /nowhere")).status).toBe(404);
  });
});

describe("3.x", () => {
  it("shows a created job only after the loader's next turn", async () => {
    const { call, jobs, post } = await api("3.x");
    await call("POST /iso8601", job("a"));
    expect(await jobs()).toEqual({});
    expect((await call("GET /job/a")).status).toBe(400);
    await post();
    expect(Object.keys(await jobs())).toEqual(["a"]);
  });

  it("writes a job's fields in its order, with its defaults", async () => {
    const { call, post } = await api("3.x");
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
    const { call, jobs, post } = await api("3.x");
    await post(job("old"), child("below", "old"));
    const before = await jobs();
    expect(await call(request, body)).toMatchObject({ status, json: { status: phrase, message } });
    await post();
    expect(await jobs()).toEqual(before);
  });

  it("answers 405 to PUT of a job, 415 to a body that is not JSON, 400 to broken JSON", async () => {
    const { chronos, call } = await api("3.x");
    expect((await call("PUT /iso8601", job("a"))).status).toBe(405);
    expect((await call("PUT /dependency", job("a"))).status).toBe(405);
    const url = `${chronos.address}/v1/scheduler/iso8601`;
    const raw = async (type: string) =>
      (await fetch(url, { method: "POST", body: "{", headers: { "content-type": type } })).status;
    expect([await raw("text/plain"), await raw("application/json")]).toEqual([415, 400]);
  });

  it("marks an unknown job as successful: false, with 200", async () => {
    const { call } = await api("3.x");
    expect(await call("PUT /job/success/none")).toMatchObject({
      status: 200,
      text: "marked job none as successful: false",
    });
  });

  it("swaps status and state in the summary", async () => {
    const { call, post } = await api("3.x");
    await post(job("a", { lastSuccess: "2025-01-01T00:00:00.000Z" }), child("b", "a"));
    expect((await call("GET /jobs/summary")).json).toEqual({
      jobs: [
        { name: "a", status: "success", state: "idle", schedule: LATER, parents: [], disabled: false },
        { name: "b", status: "fresh", state: "idle", schedule: "", parents: ["a"], disabled: false },
      ],
    });
  });

  it("accepts a dependent job whose parent is missing and hides it until the parent comes", async () => {
    const { jobs, post, call } = await api("3.x");
    await post(child("c", "b"), child("b", "a"));
    expect(await jobs()).toEqual({});
    expect((await call("DELETE /job/c")).status).toBe(400);
    await post(job("a"));
    expect(Object.keys(await jobs())).toEqual(["a", "b", "c"]);
  });

  it("refuses the create that closes a circle of hidden jobs", async () => {
    const { post, call, jobs } = await api("3.x");
    await post(child("a", "c"), child("b", "a"));
    expect(await call("POST /dependency", child("c", "b"))).toMatchObject({
      status: 500,
      json: { message: "a real Chronos server would crash: the parents of job 'c' form a cycle (b)" },
    });
    await post();
    expect(await jobs()).toEqual({});
  });

  it("makes the children of a deleted scheduled job scheduled, and forgets part of them", async () => {
    const { jobs, post, call } = await api("3.x");
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
    expect(left["b"]).toMatchObject({ ...kept, schedule: LATER, scheduleTimeZone: "Europe/Berlin" });
    expect(left["b"]).toMatchObject({
      environmentVariables: [],
      arguments: [],
      shell: true,
      ownerName: "",
      description: "",
      concurrent: false,
      constraints: [],
    });
    expect(left["b"]).not.toHaveProperty("container");
    expect(left["b"]).not.toHaveProperty("parents");
    expect((await call("GET /graph/csv")).text).not.toContain("link");
  });
});

describe("2.x", () => {
  it("shows a job at once, has PUT, and no route for one job", async () => {
    const { call, jobs } = await api("2.x");
    expect((await call("PUT /iso8601", job("a #1"))).status).toBe(204);
    expect((await call("PUT /dependency", child("b", "a #1"))).status).toBe(204);
    expect(Object.keys(await jobs())).toEqual(["a #1", "b"]);
    expect((await call("GET /job/b")).status).toBe(404);
    expect((await call("DELETE /job/a%20%231")).status).toBe(204);
  });

  it("writes epsilon and async, and nothing of 3.x", async () => {
    const { jobs, post } = await api("2.x");
    await post(job("a"));
    const shown = Object.keys((await jobs())["a"] ?? {});
    expect(shown.slice(0, 5)).toEqual(["name", "command", "shell", "epsilon", "executor"]);
    expect((await jobs())["a"]).toMatchObject({ epsilon: "PT5M", async: false });
    expect(shown).not.toContain("concurrent");
    expect(shown).not.toContain("maxCompletionTime");
  });

  it.each([
    [
      "POST /iso8601",
      job("a/b"),
      400,
      "requirement failed: the job's name is invalid. Allowed names: '([\\w\\s\\.#_-]+)'",
    ],
    ["POST /iso8601", job("a", { schedule: "daily" }), 400, ""],
    [
      "POST /dependency",
      child("a", "none"),
      400,
      "requirement failed: JobSchedule a does not have all parents defined!",
    ],
    ["POST /dependency", child("a"), 500, ""],
    ["DELETE /job/none", undefined, 400, "requirement failed: Job 'none' not found"],
    ["DELETE /task/kill/none", undefined, 500, ""],
  ])("refuses %s %j with %i in plain text", async (request, body, status, text) => {
    const { call, jobs } = await api("2.x");
    expect(await call(request, body)).toMatchObject({ status, text });
    expect(await jobs()).toEqual({});
  });

  it("skips a run that is later than epsilon", async () => {
    const { chronos, call, jobs } = await api("2.x");
    await call("POST /iso8601", job("late", { schedule: "R2/2025-12-31T23:50:00Z/PT1H" }));
    await call("POST /iso8601", job("in-time", { schedule: "R2/2025-12-31T23:56:00Z/PT1H" }));
    await eventually(jobs, (seen) => seen["in-time"]?.["successCount"] === 1);
    expect(await jobs()).toMatchObject({
      late: { successCount: 0, schedule: "R2/2025-12-31T23:50:00Z/PT1H" },
      "in-time": { schedule: "R1/2026-01-01T00:56:00.000Z/PT1H" },
    });
    expect((await send(chronos, "GET /scheduler/jobs/summary")).status).toBe(404);
  });
});

describe("starting", () => {
  it("says in one sentence that the data folder cannot be used", async () => {
    const file = join(await folder(), "file");
    await writeFile(file, "");
    await expect(embeddedChronos({ dataDir: join(file, "sub") })).rejects.toThrow(
      /^Chronos cannot use its data folder .*file\/sub: ENOTDIR/,
    );
  });

  it("says in one sentence that the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const failed = embeddedChronos({ dataDir: await folder(), port });
    await expect(failed).rejects.toThrow(`Chronos cannot listen on 127.0.0.1:${port}: the port is taken`);
    await new Promise((resolve) => other.close(resolve));
  });
});
