import type { JobId, JsonObject } from "@sluice/core";
import { listIn, textIn } from "../format/reading.ts";

/**
 * Names of the jobs that run after this one. Removing a scheduled parent would strip them of most of their fields, and removing
 * a dependent one would hang them, whoever made them, on its parents.
 */
export function childrenOf(jobs: readonly JsonObject[], id: JobId): readonly string[] {
  return jobs.filter((job) => listIn(job.parents).includes(id)).flatMap((job) => textIn(job.name) ?? []);
}

/** Whether a job with these parents would come after itself. */
export function closesCircle(jobs: readonly JsonObject[], id: JobId, parents: readonly string[]): boolean {
  const parentsOf = new Map(jobs.map((job) => [String(job.name), listIn(job.parents).map(String)]));
  const seen = new Set<string>();
  const open = [...parents];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === id) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...(parentsOf.get(name) ?? []));
  }
  return false;
}
