import type { JobFormat } from "@sluice/core";
import { isJobFile, readJobFile } from "../format/job-file.ts";
import { compareServices } from "./compare.ts";
import { isCompose, readCompose } from "./compose/read-compose.ts";
import { nativeService, withContents } from "./service-file.ts";

/** Service specs of the Engine API, one per document, and Compose files, where every service is a job. */
export function swarmFormat(): JobFormat {
  return {
    type: "swarm",
    accepts: isJobFile,
    parse(file, target) {
      const read = readJobFile(file, target, (document) =>
        isCompose(document) ? readCompose : nativeService,
      );
      return { ...read, jobs: read.jobs.map((job) => ({ ...job, spec: withContents(job.spec) })) };
    },
    compare: compareServices,
  };
}
