import type { EventBody } from "../model/events.ts";
import type { Health, SyncStatus } from "../model/health.ts";
import type { Fingerprint, JobKey, Revision } from "../model/ids.ts";
import type { FilePath } from "../model/path.ts";
import type { Reason } from "../model/reason.ts";
import type { JobStatus } from "../model/status.ts";

/** What a pass found out about one job. */
export interface JobResult {
  readonly key: JobKey;
  readonly file: FilePath | undefined;
  readonly revision: Revision;
  readonly sync: SyncStatus;
  readonly health: Health;
  readonly reason: Reason;
  readonly message: string;
  /** The spec that is known to fail; undefined clears it. */
  readonly failed?: Fingerprint | undefined;
  readonly owner?: string | undefined;
  /** Undefined: as it was. */
  readonly adopted?: Revision | undefined;
}

/** The one place that writes a job's status: old status and result to new status. @param now ISO 8601. */
export function settle(old: JobStatus | undefined, result: JobResult, now: string): JobStatus {
  // A job whose spec itself says "paused" is as Git wants it once it is paused.
  const applied = result.sync === "Synced" && (result.health === "Healthy" || result.health === "Suspended");
  const adopted = result.adopted ?? old?.adopted;
  return {
    key: result.key,
    file: result.file,
    sync: result.sync,
    health: result.health,
    reason: result.reason,
    message: result.message,
    attempted: result.revision,
    applied: applied ? result.revision : old?.applied,
    failed: result.failed,
    ...(result.owner === undefined ? {} : { owner: result.owner }),
    ...(adopted === undefined ? {} : { adopted }),
    since: old && sameState(old, result) ? old.since : now,
  };
}

function sameState(old: JobStatus, result: Pick<JobStatus, "sync" | "health" | "reason">): boolean {
  return old.sync === result.sync && old.health === result.health && old.reason === result.reason;
}

/**
 * The event a change of status is worth, or undefined: a new state, or a revision newly attempted or applied, is; a new
 * sentence is not. @param ms how long it took, where that is known.
 */
export function transition(
  old: JobStatus | undefined,
  now: JobStatus,
  ms: number | undefined,
): EventBody | undefined {
  if (old && sameState(old, now) && old.applied === now.applied && old.attempted === now.attempted)
    return undefined;
  return { type: "job.changed", key: now.key, status: now, previous: old, ms };
}
