import { afterEach, describe, expect, it } from "vitest";
import { api, child, job } from "./api-fixture.ts";
import { chronosFixture, eventually, send } from "./chronos-fixture.ts";

const fixture = chronosFixture();
afterEach(fixture.clean);

describe("2.x", () => {
  it("shows a job at once, has PUT, and no route for one job", async () => {
    const { call, jobs } = await api(fixture, "2.x");
    expect((await call("PUT /iso8601", job("a #1"))).status).toBe(204);
    expect((await call("PUT /dependency", child("b", "a #1"))).status).toBe(204);
    expect(Object.keys(await jobs())).toEqual(["a #1", "b"]);
    expect((await call("GET /job/b")).status).toBe(404);
    expect((await call("DELETE /job/a%20%231")).status).toBe(204);
  });

  it("writes epsilon and async, and nothing of 3.x", async () => {
    const { jobs, post } = await api(fixture, "2.x");
    await post(job("a"));
    const shown = Object.keys((await jobs()).a ?? {});
    expect(shown.slice(0, 5)).toEqual(["name", "command", "shell", "epsilon", "executor"]);
    expect((await jobs()).a).toMatchObject({ epsilon: "PT5M", async: false });
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
    const { call, jobs } = await api(fixture, "2.x");
    expect(await call(request, body)).toMatchObject({ status, text });
    expect(await jobs()).toEqual({});
  });

  it("skips a run that is later than epsilon", async () => {
    const { chronos, call, jobs } = await api(fixture, "2.x");
    await call("POST /iso8601", job("late", { schedule: "R2/2025-12-31T23:50:00Z/PT1H" }));
    await call("POST /iso8601", job("in-time", { schedule: "R2/2025-12-31T23:56:00Z/PT1H" }));
    await eventually(jobs, (seen) => seen["in-time"]?.successCount === 1);
    expect(await jobs()).toMatchObject({
      late: { successCount: 0, schedule: "R2/2025-12-31T23:50:00Z/PT1H" },
      "in-time": { schedule: "R1/2026-01-01T00:56:00.000Z/PT1H" },
    });
    expect((await send(chronos, "GET /scheduler/jobs/summary")).status).toBe(404);
  });
});
