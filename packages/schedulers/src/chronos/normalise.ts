import { type FieldChange, isJsonObject, type Json, type JsonObject } from "@sluice/core";
import { differences } from "../format/differences.ts";
import { listIn, objectIn, objectsIn, textIn, without, withoutNulls } from "../format/reading.ts";
import { jobSchema } from "./job-schema.ts";
import { withoutMark } from "./mark.ts";
import { hasBecome, parseSchedule } from "./schedule.ts";

const FIELDS = Object.keys(jobSchema.shape);
const SETS: ReadonlySet<string> = new Set(["parents", "constraints"]);

const DEFAULTS: JsonObject = {
  command: "",
  scheduleTimeZone: "",
  shell: true,
  retries: 2,
  owner: "",
  ownerName: "",
  description: "",
  disabled: false,
  concurrent: false,
  softError: false,
  highPriority: false,
  dataProcessingJobType: false,
  executor: "",
  executorFlags: "",
  taskInfoData: "",
  maxCompletionTime: 0,
};

/** What the server's own flags decide where a file is silent, or says 0 (reference 2.3). */
const SERVER_CHOICES = ["cpus", "mem", "disk", "runAsUser", "epsilon", "async"];

/** See JobFormat.compare. What running changes in a job, and what a file leaves to the server, is no difference. */
export function compareJobs(
  desired: JsonObject,
  live: JsonObject,
  ignore: readonly string[],
): readonly FieldChange[] {
  const wanted = normalised(desired);
  let present = normalised(live);
  const left = SERVER_CHOICES.filter((key) => !wanted[key]);
  // Version 3 has no epsilon and no async: what it cannot show cannot differ.
  const gone = ["epsilon", "async"].filter((key) => present[key] === undefined);
  present = without(present, ...left);
  if (isSameSchedule(desired, live)) {
    present = { ...present, schedule: wanted.schedule ?? "" };
    if (hasFinished(live)) present = { ...present, disabled: wanted.disabled ?? false };
  }
  return differences(without(wanted, ...left, ...gone), present, { sets: SETS, ignore });
}

/** Whether the live job's schedule is the desired one's, as running has moved it on. */
export function isSameSchedule(desired: JsonObject, live: JsonObject): boolean {
  const zone = textIn(desired.scheduleTimeZone) ?? "";
  if (zone !== (textIn(live.scheduleTimeZone) ?? "")) return false;
  const [wanted, present] = [textIn(desired.schedule), textIn(live.schedule)];
  if (wanted === undefined || present === undefined) return false;
  if (wanted === present) return true;
  const [one, other] = [parseSchedule(wanted, zone), parseSchedule(present, zone)];
  return typeof one !== "string" && typeof other !== "string" && hasBecome(one, other);
}

/** Chronos disables a job itself after its last run. */
export function hasFinished(live: JsonObject): boolean {
  return textIn(live.schedule)?.startsWith("R0/") === true;
}

function normalised(spec: JsonObject): JsonObject {
  const job = withoutMark(withoutNulls(spec) as JsonObject);
  const known = Object.fromEntries(
    FIELDS.flatMap((key) => (job[key] === undefined ? [] : [[key, job[key]]])),
  );
  const dependent = Array.isArray(job.parents);
  return withoutEmptyLists({
    ...DEFAULTS,
    ...(without(
      known as JsonObject,
      "uris",
      ...(dependent ? ["schedule", "scheduleTimeZone"] : []),
    ) as JsonObject),
    environmentVariables: Object.fromEntries(
      objectsIn(job.environmentVariables).map(([, one]) => [String(one.name), one.value ?? ""]),
    ),
    fetch: fetchesOf(job),
    ...(objectIn(job.container) ? { container: containerOf(objectIn(job.container) ?? {}) } : {}),
  });
}

/** GET /jobs shows what was posted as `uris` under both names. */
function fetchesOf(job: JsonObject): Json {
  const given = objectsIn(job.fetch).map(([, one]) => one);
  const all: readonly JsonObject[] = given.length > 0 ? given : listIn(job.uris).map((uri) => ({ uri }));
  return all.map((one) => ({ executable: false, cache: false, extract: true, ...one }));
}

function containerOf(container: JsonObject): JsonObject {
  const infos = objectsIn(container.networkInfos).map(([, info]) => ({
    ...info,
    portMappings: objectsIn(info.portMappings).map(([, mapping]) => withNumberPorts(mapping)),
  }));
  return withoutEmptyLists({
    type: "DOCKER",
    forcePullImage: false,
    network: "HOST",
    ...container,
    networkInfos: infos,
  });
}

/** Chronos gives these ports back as texts. */
function withNumberPorts(mapping: JsonObject): JsonObject {
  return {
    protocol: "tcp",
    ...mapping,
    hostPort: Number(mapping.hostPort ?? 0),
    containerPort: Number(mapping.containerPort ?? 0),
  };
}

function withoutEmptyLists(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) =>
      Array.isArray(value) ? value.length > 0 : !isJsonObject(value) || Object.keys(value).length > 0,
    ),
  );
}
