import { PassThrough } from "node:stream";
import {
  commitId,
  type EnvName,
  type JobKey,
  type JobStatus,
  revisionOf,
  type SluiceEvent,
} from "@sluice/core";
import { expect, it } from "vitest";
import { logSink } from "./log.ts";

const revision = revisionOf("main", commitId("a".repeat(40)));
const key = "apps/web" as JobKey;
const head = { environment: "production" as EnvName, at: "2026-01-01T00:00:00.000Z" };

function changed(health: JobStatus["health"], reason: JobStatus["reason"]): SluiceEvent {
  const status: JobStatus = {
    key,
    file: undefined,
    sync: health === "Healthy" ? "Synced" : "OutOfSync",
    health,
    reason,
    message: "words",
    attempted: revision,
    applied: undefined,
    failed: undefined,
    since: head.at,
  };
  return { ...head, type: "job.changed", key, status, previous: { ...status, reason: "Pending" }, ms: 5 };
}

it("writes what a job came to as JSON, without what it was before, and none of the turns that say nothing", async () => {
  const out = new PassThrough();
  const sink = await logSink("json", out);
  sink.emit({ ...head, type: "job.applied", key, revision, kind: "create", cause: "revision" });
  sink.emit(changed("Missing", "Pending"));
  sink.emit(changed("Healthy", "Applied"));
  sink.emit({ ...head, type: "deployment.started", revision });
  await new Promise((resolve) => setImmediate(resolve));
  const lines = String(out.read())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ type, text, previous }) => [type, text, previous])).toEqual([
    ["job.changed", "✔ apps/web healthy in 5ms", undefined],
    ["deployment.started", "", undefined],
  ]);
});
