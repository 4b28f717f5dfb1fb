import { isDependent, type Job } from "./job.ts";
import type { Profile } from "./profile.ts";

/** A job as GET shows it, its fields in the order in which Chronos writes them. */
export function writeJob(job: Job, profile: Profile): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const field of profile.fields) if (job[field] !== undefined) shown[field] = job[field];
  if (isDependent(job)) return { ...shown, parents: job.parents };
  return { ...shown, schedule: job.schedule, scheduleTimeZone: job.scheduleTimeZone };
}

/** As `GET /jobs` alone shows it: `fetch` and `uris` are filled from each other. */
export function writeListedJob(job: Job, profile: Profile): Record<string, unknown> {
  const fetch =
    job.fetch.length > 0
      ? job.fetch
      : job.uris.map((uri) => ({ uri, executable: false, cache: false, extract: true }));
  return writeJob({ ...job, fetch, uris: fetch.map((one) => one.uri) }, profile);
}
