import { type DependentJob, isDependent, type Job, type JobFields } from "./job.ts";

/**
 * What becomes of the child of a deleted job. That of a dependent job inherits its parents; that of a scheduled job
 * becomes scheduled itself and loses the fields that Chronos forgets to copy.
 * @param blank where the lost fields come from: a job that says nothing but its name.
 */
export function orphan(
  child: DependentJob,
  deleted: Job,
  lost: readonly (keyof JobFields)[],
  blank: JobFields,
): Job {
  if (isDependent(deleted)) {
    const others = child.parents.filter((name) => name !== deleted.name);
    return { ...child, parents: [...new Set([...others, ...deleted.parents])] };
  }
  const { parents: _, ...fields } = child;
  const kept: JobFields = { ...fields, ...Object.fromEntries(lost.map((field) => [field, blank[field]])) };
  if (kept.container === undefined) delete kept.container;
  return { ...kept, schedule: deleted.schedule, scheduleTimeZone: deleted.scheduleTimeZone };
}
