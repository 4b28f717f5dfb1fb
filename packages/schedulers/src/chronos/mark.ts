import type { JsonObject } from "@sluice/core";
import { listIn, objectsIn, textIn } from "../format/reading.ts";

/**
 * The environment variable that marks Sluice's jobs. Chronos has no labels, and an owner or a description belongs to
 * people; a variable is kept by every version, is harmless to a command, and shows who made a run.
 */
export const MARK_VARIABLE = "SLUICE_OWNER";

export function markOf(job: JsonObject): string | undefined {
  for (const [, variable] of objectsIn(job.environmentVariables))
    if (variable.name === MARK_VARIABLE) return textIn(variable.value);
  return undefined;
}

export function withMark(job: JsonObject, mark: string): JsonObject {
  const others = listIn(withoutMark(job).environmentVariables);
  return { ...job, environmentVariables: [...others, { name: MARK_VARIABLE, value: mark }] };
}

export function withoutMark(job: JsonObject): JsonObject {
  const variables = objectsIn(job.environmentVariables).map(([, one]) => one);
  return { ...job, environmentVariables: variables.filter((one) => one.name !== MARK_VARIABLE) };
}
