import type { JobFormat, JsonObject } from "@sluice/core";
import { isJobFile, readJobFile } from "../format/job-file.ts";
import { placeInJobFile } from "../format/place.ts";
import { compareServices } from "./compare.ts";
import { isCompose, readCompose } from "./compose/read-compose.ts";
import { nativeService, withContents } from "./service-file.ts";

/** Service specs of the Engine API, one per document, and Compose files, where every service is a job. */
export function swarmFormat(): JobFormat {
  return {
    type: "swarm",
    accepts: isJobFile,
    parse(file, target) {
      const read = readJobFile(file, target, formOf);
      return { ...read, jobs: read.jobs.map((job) => ({ ...job, spec: withContents(job.spec) })) };
    },
    compare: compareServices,
    place: (file, field) => placeInJobFile(file, field, formOf),
  };
}

function formOf(document: JsonObject) {
  return isCompose(document) ? readCompose : nativeService;
}
