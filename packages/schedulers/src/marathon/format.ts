import { type JobFormat, type JsonObject, jobId } from "@sluice/core";
import { isJobFile, type NativeJob, readJobFile } from "../format/job-file.ts";
import { placeInJobFile } from "../format/place.ts";
import { textIn } from "../format/reading.ts";
import { appRules } from "./app-rules.ts";
import { appSchema, STRANGE_KEYS } from "./app-schema.ts";
import { compareJobs } from "./compare.ts";
import { appsOfGroup, isGroup } from "./group-file.ts";
import { isPod } from "./pod-kind.ts";
import { podRules } from "./pod-rules.ts";
import { podSchema, STRANGE_POD_KEYS } from "./pod-schema.ts";

const app: NativeJob = {
  schema: appSchema,
  strange: STRANGE_KEYS,
  rules: appRules,
  id: (spec) => jobId(textIn(spec.id) ?? ""),
  // Marathon orders by `dependencies` itself, and allows ids and groups it does not know: no order for Sluice to keep.
  dependencies: () => [],
  several: (document) => (isGroup(document) ? appsOfGroup(document) : undefined),
};

const pod: NativeJob = {
  schema: podSchema,
  strange: STRANGE_POD_KEYS,
  rules: podRules,
  id: (spec) => jobId(textIn(spec.id) ?? ""),
  dependencies: () => [],
};

/** Marathon's definitions: an app, a pod, or a group of apps per document. */
export function marathonFormat(): JobFormat {
  return {
    type: "marathon",
    accepts: isJobFile,
    parse: (file, target) => readJobFile(file, target, formOf),
    compare: compareJobs,
    place: (file, field) => placeInJobFile(file, field, formOf),
  };
}

function formOf(document: JsonObject): NativeJob {
  return isPod(document) ? pod : app;
}
