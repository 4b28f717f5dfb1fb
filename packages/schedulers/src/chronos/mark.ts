import type { JsonObject } from "@sluice/core";
import { listIn, objectsIn, textIn } from "../format/reading.ts";

/**
 * The environment variable that marks Sluice's jobs. Chronos has no labels, and an owner or a description belongs to
 * people; a variable is kept by every version, is harmless to a command, and shows who made a run.
 */
export const MARK_VARIABLE = "SLUICE_OWNER";

/**
 * When the job last failed before Sluice's last write: that failure was the earlier spec's. Chronos itself cannot tell, and
 * its counters are not Sluice's to reset.
 */
export const EARLIER_ERROR_VARIABLE = "SLUICE_EARLIER_ERROR";

export const OWN_VARIABLES: readonly string[] = [MARK_VARIABLE, EARLIER_ERROR_VARIABLE];

export function markOf(job: JsonObject): string | undefined {
  return variable(job, MARK_VARIABLE);
}

/** As Chronos wrote it into `lastError`; undefined: the job had not failed. */
export function earlierErrorOf(job: JsonObject): string | undefined {
  return variable(job, EARLIER_ERROR_VARIABLE);
}

/** @param earlierError `lastError` of the job that is written over; empty: none. */
export function withMark(job: JsonObject, mark: string, earlierError = ""): JsonObject {
  const others = listIn(withoutMark(job).environmentVariables);
  const own = [{ name: MARK_VARIABLE, value: mark }];
  if (earlierError !== "") own.push({ name: EARLIER_ERROR_VARIABLE, value: earlierError });
  return { ...job, environmentVariables: [...others, ...own] };
}

/** The job without the variables that are Sluice's. */
export function withoutMark(job: JsonObject): JsonObject {
  const variables = objectsIn(job.environmentVariables).map(([, one]) => one);
  return {
    ...job,
    environmentVariables: variables.filter((one) => !OWN_VARIABLES.includes(textIn(one.name) ?? "")),
  };
}

function variable(job: JsonObject, name: string): string | undefined {
  const found = objectsIn(job.environmentVariables).find(([, one]) => one.name === name);
  return textIn(found?.[1].value);
}
