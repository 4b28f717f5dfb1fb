import { type HealthCheck, timestamp } from "../model.ts";

/** What one check knows of one instance. Times in milliseconds since the epoch. */
export interface Health {
  alive: boolean;
  consecutiveFailures: number;
  firstSuccess?: number;
  lastSuccess?: number;
  lastFailure?: number;
  lastFailureCause?: string;
}

/** The answer of one probe. */
export type ProbeResult = { ok: true } | { ok: false; cause: string };

export interface Judgement {
  /** Undefined: the result does not count and nothing is known still. */
  health: Health | undefined;
  /** Whether a failure counted. */
  failed: boolean;
  /** Whether the instance is to be killed for it. */
  kill: boolean;
}

/**
 * What a probe's result means. A failure does not count before the first success within the grace period; the kill
 * looks at the failures before this one, so with `maxConsecutiveFailures` 3 it comes with the fourth.
 * @param age milliseconds since the instance began to run.
 */
export function judge(
  before: Health | undefined,
  result: ProbeResult,
  at: { check: HealthCheck; age: number; now: number },
): Judgement {
  if (result.ok) {
    const { lastFailure, lastFailureCause } = before ?? {};
    const health: Health = {
      alive: true,
      consecutiveFailures: 0,
      firstSuccess: before?.firstSuccess ?? at.now,
      lastSuccess: at.now,
      ...(lastFailure !== undefined && { lastFailure }),
      ...(lastFailureCause !== undefined && { lastFailureCause }),
    };
    return { health, failed: false, kill: false };
  }
  if (before?.firstSuccess === undefined && at.age < at.check.gracePeriodSeconds * 1000)
    return { health: before, failed: false, kill: false };
  const failures = before?.consecutiveFailures ?? 0;
  const limit = at.check.maxConsecutiveFailures;
  const health = {
    ...before,
    alive: false,
    consecutiveFailures: failures + 1,
    lastFailure: at.now,
    lastFailureCause: result.cause,
  };
  return { health, failed: true, kill: limit > 0 && failures >= limit };
}

/** A health result as the API shows it. */
export function healthJson(health: Health, instanceId: string): Record<string, unknown> {
  const { firstSuccess, lastSuccess, lastFailure, ...rest } = health;
  return {
    ...rest,
    ...(firstSuccess !== undefined && { firstSuccess: timestamp(firstSuccess) }),
    ...(lastSuccess !== undefined && { lastSuccess: timestamp(lastSuccess) }),
    ...(lastFailure !== undefined && { lastFailure: timestamp(lastFailure) }),
    instanceId,
  };
}
