import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type JsonObject, jobId, type LiveJob, systemClock } from "@sluice/core";
import { expect, it, onTestFinished } from "vitest";
import { chronos } from "./driver.ts";
import { compareJobs } from "./normalise.ts";

const MARK = "production";
const owned = { environmentVariables: [{ name: "SLUICE_OWNER", value: MARK }] };
const scheduled = { schedule: "R/2099-01-01T03:00:00Z/P1D", command: "x" };

it("posts the live schedule and every counter where only the command changed, and marks the last failure as earlier", async () => {
  const live = {
    ...{ name: "a", command: "old", schedule: "R/2026-01-09T03:00:00.000Z/P1D", ...owned },
    ...{ successCount: 8, errorCount: 2, errorsSinceLastSuccess: 2, lastSuccess: "s", lastError: "e" },
  };
  const { scheduler, writes } = await fake({ a: live });
  await scheduler.apply(
    update("a", { command: "new", schedule: "R/2026-01-01T03:00:00Z/P1D" }, await only(scheduler)),
  );
  const environmentVariables = [...owned.environmentVariables, { name: "SLUICE_EARLIER_ERROR", value: "e" }];
  expect(writes).toEqual([["POST /v1/scheduler/iso8601", { ...live, command: "new", environmentVariables }]]);
  expect((await only(scheduler)).observed).toMatchObject({ health: "Healthy" });
  expect(compareJobs({ name: "a", command: "new" }, (await only(scheduler)).spec, ["schedule"])).toEqual([]);
});

it("moves the start of a changed schedule out of the past, so that the write does not run the job", async () => {
  const { scheduler, writes } = await fake({ a: { name: "a", ...scheduled, ...owned } });
  await scheduler.apply(
    update("a", { command: "x", schedule: "R/2026-01-01T04:00:00Z/P1D" }, await only(scheduler)),
  );
  expect(writes.map(([, job]) => job?.schedule)).toEqual(["R/2026-05-11T04:00:00.000Z/P1D"]);
});

it("creates a job as its file has it, and waits until Chronos shows it", async () => {
  const { scheduler, writes } = await fake({}, 3);
  const spec = { command: "x", schedule: "R/2026-01-01T04:00:00Z/P1D" };
  await scheduler.apply({ ...update("a", spec, undefined) });
  expect(writes).toEqual([["POST /v1/scheduler/iso8601", { name: "a", ...spec, ...owned }]]);
  expect((await only(scheduler)).id).toBe("a");
});

it("does not write a job whose parent is missing, nor one that would come after itself", async () => {
  const { scheduler, writes } = await fake({
    a: { name: "a", ...scheduled, ...owned },
    b: { name: "b", command: "x", parents: ["a"], ...owned },
  });
  const [a] = await scheduler.list({ ids: [jobId("a")] });
  for (const [parents, words] of [
    [["c"], "the parent c of a is not in Chronos"],
    [["b"], "a would come after itself"],
  ] as const)
    await expect(scheduler.apply(update("a", { command: "x", parents }, a))).rejects.toThrow(words);
  expect(writes).toEqual([]);
});

it("keeps a scheduled job that others run after, until they are gone", async () => {
  const { scheduler, writes } = await fake({
    a: { name: "a", ...scheduled, ...owned },
    b: { name: "b", command: "x", parents: ["a"], ...owned },
  });
  const removal = scheduler.remove({ id: jobId("a"), mark: MARK });
  await expect(removal).rejects.toMatchObject({
    code: "SCHEDULER_CONFLICT",
    message: "b must go or get other parents before a can be removed",
  });
  await scheduler.remove({ id: jobId("b"), mark: MARK });
  await scheduler.remove({ id: jobId("a"), mark: MARK });
  expect(writes.map(([line]) => line)).toEqual(["DELETE /v1/scheduler/job/b", "DELETE /v1/scheduler/job/a"]);
});

it("keeps a dependent job that others, whoever made them, would be hung onto its parents for", async () => {
  const { scheduler, writes } = await fake({
    a: { name: "a", ...scheduled, ...owned },
    b: { name: "b", command: "x", parents: ["a"], ...owned },
    c: { name: "c", command: "x", parents: ["b"] },
  });
  await expect(scheduler.remove({ id: jobId("b"), mark: MARK })).rejects.toMatchObject({
    code: "SCHEDULER_CONFLICT",
    message: "c must go or get other parents before b can be removed",
  });
  expect(writes).toEqual([]);
});

it.each([
  [400, "<html>bad gateway</html>", "SCHEDULER_UNREACHABLE"],
  [200, "<html>log in</html>", "SCHEDULER_UNREACHABLE"],
  [200, '{"name":"b"}', "SCHEDULER_UNREACHABLE"],
])("does not take %i %s for a job that is not there, and writes nothing", async (status, body, code) => {
  const lines: string[] = [];
  const address = await serving((line, answer) => {
    lines.push(line);
    if (line.endsWith("/jobs")) answer(200, "[]");
    else answer(status, body);
  });
  const scheduler = chronos({ addresses: [address], clock: systemClock });
  await expect(scheduler.apply(update("a", scheduled, undefined))).rejects.toMatchObject({ code });
  expect(lines.filter((line) => !line.startsWith("GET"))).toEqual([]);
});

it("takes a login page's 200 for no write", async () => {
  const address = await serving((line, answer) => {
    if (line.endsWith("/jobs")) answer(200, "[]");
    else if (line.startsWith("GET")) answer(400, '{"message":"unknown"}');
    else answer(200, "<html>log in</html>");
  });
  const scheduler = chronos({ addresses: [address], clock: systemClock });
  await expect(scheduler.apply(update("a", scheduled, undefined))).rejects.toMatchObject({
    code: "SCHEDULER_UNREACHABLE",
    message: "Chronos answered POST /iso8601 with something else than it should",
  });
});

it.each([
  ["text/plain", "requirement failed: bad schedule", "SCHEDULER_INVALID", "it gives no reason"],
  ["text/html", "<html>bad request</html>", "SCHEDULER_UNREACHABLE", "cannot answer now"],
])("tells version 2's refusal in %s from a proxy's page", async (_type, body, code, words) => {
  const address = await serving((line, answer) => {
    if (line.startsWith("GET /v1")) answer(404, "");
    else if (line.startsWith("GET")) answer(200, "[]");
    else answer(400, body);
  });
  const scheduler = chronos({ addresses: [address], clock: systemClock });
  const done = scheduler.apply(update("a", scheduled, undefined));
  await expect(done).rejects.toMatchObject({ code });
  await expect(done).rejects.toThrow(words);
});

it("follows a Chronos that was upgraded to its new paths", async () => {
  let prefix = "/scheduler";
  const address = await serving((line, answer) =>
    line === `GET ${prefix}/jobs`
      ? answer(200, `[${JSON.stringify({ name: "a", ...owned })}]`)
      : answer(404, ""),
  );
  const scheduler = chronos({ addresses: [address], clock: systemClock });
  const found = async () => (await scheduler.list({ mark: MARK })).map((job) => job.id);
  expect(await found()).toEqual(["a"]);
  prefix = "/v1/scheduler";
  expect(await found()).toEqual(["a"]);
});

it("repeats no environment value and no stack trace of a refusal", async () => {
  const address = await serving((line, answer) => {
    if (line.endsWith("/jobs")) return answer(200, "[]");
    if (line.startsWith("GET")) return answer(400, '{"message":"unknown"}');
    const message = "java.lang.Exception: cannot use hunter2\n\tat org.apache.mesos.chronos (hunter2)";
    return answer(400, JSON.stringify({ status: "Bad Request", message }));
  });
  const scheduler = chronos({ addresses: [address], clock: systemClock });
  const spec = { ...scheduled, environmentVariables: [{ name: "TOKEN", value: "hunter2" }] };
  await expect(scheduler.apply(update("a", spec, undefined))).rejects.toMatchObject({
    code: "SCHEDULER_INVALID",
    message: "Chronos refused the job: java.lang.Exception: cannot use •••",
  });
});

it.each([
  [200, "<html>log in</html>", "SCHEDULER_UNREACHABLE"],
  [200, "{}", "SCHEDULER_UNREACHABLE"],
  [200, '[{"command":"x"}]', "SCHEDULER_UNREACHABLE"],
  [404, "{}", "SCHEDULER_UNREACHABLE"],
  [401, "", "SCHEDULER_DENIED"],
])("takes no list from %i %s", async (status, body, code) => {
  const address = await serving((_line, answer) => answer(status, body));
  const scheduler = chronos({ addresses: [address], clock: systemClock });
  await expect(scheduler.list({ mark: MARK })).rejects.toMatchObject({ code });
});

function update(id: string, spec: JsonObject, live: LiveJob | undefined) {
  return { id: jobId(id), spec: { name: id, ...spec }, mark: MARK, live, ignore: [] };
}

async function only(scheduler: ReturnType<typeof chronos>): Promise<LiveJob> {
  const [job] = await scheduler.list({ mark: MARK });
  if (!job) throw new Error("there is no job");
  return job;
}

/** A Chronos 3 that shows a write after so many more reads of single jobs. */
async function fake(jobs: Record<string, JsonObject>, hiddenReads = 0) {
  const writes: [line: string, job: JsonObject | undefined][] = [];
  let hidden = 0;
  const address = await serving((line, answer, body) => {
    const name = line.split("/").at(-1) ?? "";
    if (line === "GET /v1/scheduler/jobs") return answer(200, JSON.stringify(Object.values(jobs)));
    if (line.startsWith("GET /v1/scheduler/job/")) {
      hidden -= 1;
      const job = hidden > 0 ? undefined : jobs[name];
      return job ? answer(200, JSON.stringify(job)) : answer(400, '{"message":"unknown"}');
    }
    const job = body === "" ? undefined : (JSON.parse(body) as JsonObject);
    writes.push([line, job]);
    if (job) jobs[String(job.name)] = job;
    else delete jobs[name];
    hidden = hiddenReads;
    answer(204, "");
  });
  const clock = { ...systemClock, now: () => Date.UTC(2026, 4, 10, 12) };
  return { scheduler: chronos({ addresses: [address], clock }), writes };
}

async function serving(
  act: (line: string, answer: (status: number, body: string) => void, body: string) => void,
): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    act(
      `${request.method} ${request.url}`,
      (status, text) => void response.writeHead(status).end(text),
      body,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
