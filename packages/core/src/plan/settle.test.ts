import { describe, expect, it } from "vitest";
import { commitId, type Fingerprint, type JobKey, revisionOf } from "../model/ids.ts";
import { encodePath } from "../model/path.ts";
import type { JobStatus } from "../model/status.ts";
import { type JobResult, settle, transition } from "./settle.ts";

const FIRST = revisionOf("main", commitId("1".repeat(40)));
const SECOND = revisionOf("main", commitId("2".repeat(40)));
const EARLY = "2026-01-01T00:00:00.000Z";
const LATE = "2026-01-02T00:00:00.000Z";

const HEALTHY: JobResult = {
  key: "apps/web" as JobKey,
  file: encodePath("apps/web.yaml"),
  revision: FIRST,
  sync: "Synced",
  health: "Healthy",
  reason: "Applied",
  message: "running",
};
const OLD: JobStatus = settle(undefined, HEALTHY, EARLY);

describe("settle", () => {
  it("makes a first status", () => {
    expect(OLD).toEqual({
      key: "apps/web",
      file: "apps/web.yaml",
      sync: "Synced",
      health: "Healthy",
      reason: "Applied",
      message: "running",
      attempted: FIRST,
      applied: FIRST,
      failed: undefined,
      since: EARLY,
    });
  });

  it.each<[string, Partial<JobResult>]>([
    ["another sync", { sync: "OutOfSync" }],
    ["another health", { health: "Progressing" }],
    ["another reason", { reason: "Progressing" }],
  ])("moves `since` for %s", (_name, change) => {
    expect(settle(OLD, { ...HEALTHY, ...change }, LATE).since).toBe(LATE);
  });

  it("keeps `since` for another sentence, revision or file", () => {
    const result = { ...HEALTHY, message: "still running", revision: SECOND, file: undefined };
    expect(settle(OLD, result, LATE)).toEqual({
      ...OLD,
      message: "still running",
      attempted: SECOND,
      applied: SECOND,
      file: undefined,
    });
  });

  it.each<[string, Partial<JobResult>]>([
    ["not synced", { sync: "OutOfSync" }],
    ["unknown", { sync: "Unknown" }],
    ["not healthy", { health: "Degraded" }],
    ["missing", { health: "Missing" }],
  ])("does not call a revision applied while the job is %s", (_name, change) => {
    const status = settle(OLD, { ...HEALTHY, ...change, revision: SECOND }, LATE);
    expect([status.attempted, status.applied]).toEqual([SECOND, FIRST]);
    expect(settle(undefined, { ...HEALTHY, ...change }, LATE).applied).toBeUndefined();
  });

  it("calls a revision applied once a job is paused as its spec says", () => {
    expect(settle(OLD, { ...HEALTHY, health: "Suspended", revision: SECOND }, LATE).applied).toBe(SECOND);
    const left = { ...HEALTHY, sync: "OutOfSync", health: "Suspended", revision: SECOND } as const;
    expect(settle(OLD, left, LATE).applied).toBe(FIRST);
  });

  it("remembers a spec that failed until a result no longer names it", () => {
    const failed = "f".repeat(64) as Fingerprint;
    const held = settle(OLD, { ...HEALTHY, health: "Degraded", failed }, LATE);
    expect(held.failed).toBe(failed);
    expect(settle(held, HEALTHY, LATE).failed).toBeUndefined();
  });
});

describe("transition", () => {
  it("is an event for a first status", () => {
    expect(transition(undefined, OLD, 5)).toEqual({
      type: "job.changed",
      key: "apps/web",
      status: OLD,
      previous: undefined,
      ms: 5,
    });
  });

  it.each<[string, Partial<JobStatus>]>([
    ["sync", { sync: "OutOfSync" }],
    ["health", { health: "Degraded" }],
    ["reason", { reason: "Drifted" }],
    ["attempted revision", { attempted: SECOND }],
    ["applied revision", { applied: SECOND }],
  ])("is an event for another %s, and tells both sides", (_name, change) => {
    const now = { ...OLD, ...change };
    expect(transition(OLD, now, undefined)).toEqual({
      type: "job.changed",
      key: "apps/web",
      status: now,
      previous: OLD,
      ms: undefined,
    });
  });

  it.each<[string, Partial<JobStatus>]>([
    ["nothing", {}],
    ["sentence", { message: "2 of 3 running" }],
    ["time", { since: LATE }],
  ])("is none for another %s", (_name, change) => {
    expect(transition(OLD, { ...OLD, ...change }, 5)).toBeUndefined();
  });
});
