import type { DeploymentCounts, JobKey, JobStatus, Reason } from "@sluice/core";

/** How the jobs of the revision do, in numbers that are kept up job by job. */
export interface Census {
  /** A job's status, or whether Git names it, has changed. */
  note(key: JobKey): void;
  /** Counts everything anew. */
  recount(keys: Iterable<JobKey>): void;
  counts(): Pick<DeploymentCounts, "jobs" | "healthy" | "progressing" | "failed">;
  /** One that failed for its scheduler's or its own reasons. */
  degraded(): JobStatus | undefined;
  /** One that only a new revision or a person can help. */
  stalled(): JobStatus | undefined;
}

export interface CensusOptions {
  /** Whether the revision names the job. */
  readonly wanted: (key: JobKey) => boolean;
  readonly status: (key: JobKey) => JobStatus | undefined;
}

const NEEDS_A_PERSON: ReadonlySet<Reason> = new Set<Reason>([
  "InvalidSpec",
  "Duplicate",
  "DependencyCycle",
  "NotOwned",
  "Suspended",
  "OutsideWindow",
  "Drifted",
]);
const UNDER_WAY: ReadonlySet<Reason> = new Set<Reason>(["Pending", "Progressing", "Locked", "Conflict"]);

type Class = "healthy" | "progressing" | "degraded" | "stalled";

export function census({ wanted, status }: CensusOptions): Census {
  const members: Record<Class, Set<JobKey>> = {
    healthy: new Set(),
    progressing: new Set(),
    degraded: new Set(),
    stalled: new Set(),
  };
  const sets = Object.values(members);

  function note(key: JobKey) {
    const now = wanted(key) ? members[classOf(status(key))] : undefined;
    for (const set of sets) if (set !== now) set.delete(key);
    now?.add(key);
  }
  function one(set: ReadonlySet<JobKey>): JobStatus | undefined {
    for (const key of set) return status(key);
    return undefined;
  }

  return {
    note,
    recount(keys) {
      for (const set of sets) set.clear();
      for (const key of keys) note(key);
    },
    counts() {
      const { healthy, progressing, degraded, stalled } = members;
      const failed = degraded.size + stalled.size;
      return {
        jobs: healthy.size + progressing.size + failed,
        healthy: healthy.size,
        progressing: progressing.size,
        failed,
      };
    },
    degraded: () => one(members.degraded),
    stalled: () => one(members.stalled),
  };
}

function classOf(status: JobStatus | undefined): Class {
  if (!status || UNDER_WAY.has(status.reason)) return "progressing";
  if (status.reason === "Applied") return "healthy";
  return NEEDS_A_PERSON.has(status.reason) ? "stalled" : "degraded";
}
