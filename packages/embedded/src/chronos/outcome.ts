import { isDependent, type Job } from "./job.ts";
import { parseSchedule } from "./schedule.ts";

export interface RetryPolicy {
  /** Milliseconds until the next attempt (`--failure_retry`). */
  failureRetryMs: number;
  /** Failures in a row that disable a job; 0 = never (`--disable_after_failures`). */
  disableAfterFailures: number;
}

/** The job after a successful run. @param now milliseconds since the epoch. */
export function afterSuccess(job: Job, now: number): Job {
  return {
    ...job,
    successCount: job.successCount + 1,
    errorsSinceLastSuccess: 0,
    lastSuccess: new Date(now).toISOString(),
    disabled: job.disabled || isExhausted(job, now),
  };
}

/**
 * Whether a failed attempt is tried again: while attempts are left and no earlier error stands unresolved.
 */
export function isRetried(job: Job, attempt: number): boolean {
  if (attempt >= job.retries) return false;
  if (job.lastError === "") return true;
  return job.lastSuccess !== "" && Date.parse(job.lastSuccess) >= Date.parse(job.lastError);
}

/**
 * The job after a run that failed for good. Chronos writes `disabled` anew here, so a job that somebody disabled
 * during the run is enabled again.
 */
export function afterFailure(job: Job, now: number, policy: RetryPolicy): Job {
  const errors = job.errorsSinceLastSuccess + 1;
  return {
    ...job,
    errorCount: job.errorCount + 1,
    errorsSinceLastSuccess: errors,
    lastError: new Date(now).toISOString(),
    disabled: policy.disableAfterFailures > 0 && errors >= policy.disableAfterFailures,
  };
}

function isExhausted(job: Job, now: number): boolean {
  return !isDependent(job) && parseSchedule(job.schedule, job.scheduleTimeZone, now)?.repeat === 0;
}
