import {
  type CommitId,
  type DeploymentNote,
  envName,
  formatDeploymentNote,
  type JobKey,
  type JobStatus,
  revisionOf,
  type SluiceEvent,
} from "@sluice/core";
import { describe, expect, it } from "vitest";
import { outcomeOf } from "./outcome.ts";

const environment = envName("production");
const key = "apps/web" as JobKey;
const [one, two] = ["1", "2"].map((digit) => digit.repeat(40) as CommitId) as [CommitId, CommitId];
const AT = "2026-01-01T00:00:00.000Z";

function note(more: Partial<DeploymentNote> = {}): string {
  const counts = { created: 0, updated: 1, pruned: 0 };
  return formatDeploymentNote({
    environment,
    state: "healthy",
    ms: 1,
    at: AT,
    counts,
    problems: [],
    ...more,
  });
}

function outcome(
  notes: Readonly<Record<string, string>>,
  status?: Partial<JobStatus>,
  events: readonly object[] = [],
) {
  const known = new Map(Object.entries(notes)) as unknown as ReadonlyMap<CommitId, string>;
  return outcomeOf([one, two], {
    environment,
    key,
    notes: known,
    status: status as JobStatus | undefined,
    events: events as readonly SluiceEvent[],
  });
}

describe("how a job did", () => {
  it("is what the note on its commit says, or the one on a later commit it was pushed with", () => {
    expect(outcome({ [one]: note() })).toEqual({ state: "healthy", at: AT, commit: one, from: "note" });
    expect(outcome({ [two]: note() })).toEqual({ state: "healthy", at: AT, commit: two, from: "note" });
  });

  it("is healthy where others of the environment failed, and a failure where it is named", () => {
    const others = [{ key: "apps/other" as JobKey, reason: "Refused", message: "no" }];
    const ours = [...others, { key, reason: "HealthTimeout", message: "not within 5m" }];
    expect(outcome({ [one]: note({ state: "degraded", problems: others }) }).state).toBe("healthy");
    expect(outcome({ [one]: note({ state: "degraded", problems: ours }) })).toEqual({
      ...{ state: "failed", reason: "HealthTimeout", message: "not within 5m" },
      ...{ at: AT, commit: one, from: "note" },
    });
  });

  it("is a failure where the environment as a whole could not be deployed", () => {
    const problems = [{ key: undefined, reason: "InvalidSpec", message: "deploy.yaml:1" }];
    expect(outcome({ [one]: note({ state: "stalled", problems }) })).toMatchObject({ reason: "InvalidSpec" });
  });

  it("is the next deployment's where one was overtaken", () => {
    expect(outcome({ [one]: note({ state: "superseded" }), [two]: note() })).toMatchObject({
      ...{ state: "healthy", commit: two },
    });
    expect(outcome({ [one]: note({ state: "superseded" }) }).state).toBe("superseded");
  });

  it("is not what another environment's note says", () => {
    expect(outcome({ [one]: note({ environment: envName("staging") }) })).toEqual({ state: "unknown" });
  });

  it("is what the event log still tells where there is no note", () => {
    const [first, second] = [revisionOf("main", one), revisionOf("main", two)];
    const changed = (status: object, at = AT, of: string = key) => ({
      type: "job.changed",
      key: of,
      status,
      at,
    });
    const failed = { attempted: first, applied: undefined, failed: "f", reason: "Refused", message: "no" };
    const told = { state: "failed", reason: "Refused", message: "no", at: AT, commit: one, from: "events" };
    const started = { attempted: first, applied: undefined, reason: "Progressing", message: "starting" };
    expect(outcome({}, { applied: second }, [changed(started), changed(failed)])).toEqual(told);
    expect(outcome({}, undefined, [changed({ attempted: second, applied: second })])).toEqual({
      ...{ state: "healthy", at: AT, commit: two, from: "events" },
    });
    expect(outcome({}, undefined, [changed(started), changed(failed, AT, "apps/other")])).toEqual({
      state: "unknown",
    });
    const finished = { type: "deployment.finished", revision: first, at: AT, status: { state: "healthy" } };
    expect(outcome({}, undefined, [finished]).state).toBe("healthy");
    expect(outcome({}, undefined, [{ ...finished, status: { state: "degraded" } }]).state).toBe("unknown");
    expect(outcome({ [one]: note() }, undefined, [changed(failed)])).toMatchObject({ from: "note" });
  });

  it("is what the status says where there is no note", () => {
    const [applied, attempted] = [revisionOf("main", one), revisionOf("main", two)];
    expect(outcome({}, { applied })).toEqual({ state: "healthy", commit: one, from: "status" });
    expect(
      outcome({}, { attempted, health: "Degraded", reason: "Unhealthy", message: "m", since: AT }),
    ).toEqual({
      ...{ state: "failed", reason: "Unhealthy", message: "m", at: AT, commit: two, from: "status" },
    });
    expect(outcome({}, { attempted, health: "Progressing" })).toEqual({ state: "unknown" });
  });
});
