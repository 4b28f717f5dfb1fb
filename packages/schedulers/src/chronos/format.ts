import { type JobFormat, jobId, jobKey } from "@sluice/core";
import { isJobFile, type NativeJob, readJobFile } from "../format/job-file.ts";
import { placeInJobFile } from "../format/place.ts";
import { listIn, textIn } from "../format/reading.ts";
import { jobRules } from "./job-rules.ts";
import { jobSchema, STRANGE_KEYS } from "./job-schema.ts";
import { compareJobs } from "./normalise.ts";

const native: NativeJob = {
  schema: jobSchema,
  strange: STRANGE_KEYS,
  rules: jobRules,
  id: (job) => jobId(textIn(job.name) ?? ""),
  // Chronos 3 accepts a job before its parents and then hides it, so parents go first (reference 2.0).
  dependencies: (job, target) =>
    listIn(job.parents).flatMap((parent) =>
      typeof parent === "string" ? jobKey(target, jobId(parent)) : [],
    ),
};

/** Chronos's job definition, one job per document. Every parent is a job of the same target that must be there first. */
export function chronosFormat(): JobFormat {
  return {
    type: "chronos",
    accepts: isJobFile,
    parse: (file, target) => readJobFile(file, target, native),
    compare: compareJobs,
    place: (file, field) => placeInJobFile(file, field, native),
  };
}
