import type { DesiredJob, Health, JobResult, Observation, Reason, Revision, SyncStatus } from "@sluice/core";

/** The result of a job that holds what Git says and is well. */
export function appliedResult(job: DesiredJob, revision: Revision, observed: Observation): JobResult {
  return result(job, revision, {
    sync: "Synced",
    health: observed.health,
    reason: "Applied",
    message: observed.message,
  });
}

/** Any other result. @param failed true: this spec is held from now on. */
export function result(
  job: DesiredJob,
  revision: Revision,
  found: { sync: SyncStatus; health: Health; reason: Reason; message: string; failed?: boolean },
): JobResult {
  const { sync, health, reason, message, failed } = found;
  return {
    key: job.key,
    file: job.file,
    revision,
    sync,
    health,
    reason,
    message,
    failed: failed ? job.fingerprint : undefined,
  };
}
