import {
  array,
  flag,
  has,
  integer,
  type JsonObject,
  number,
  objects,
  record,
  text,
  texts,
} from "./coerce.ts";
import { readContainer } from "./container.ts";
import type { FetchedFile, Job, JobFields } from "./job.ts";

/** What a server puts in where a job says nothing; flags of a real Chronos. */
export interface JobDefaults {
  cpus: number;
  /** Megabytes. */
  mem: number;
  /** Megabytes. */
  disk: number;
  runAsUser: string;
  /** ISO period. */
  epsilon: string;
}

/**
 * Reads the body of a write as Chronos does: unknown keys are dropped, values are coerced, and the key `parents`
 * decides what kind of job it is. A job with neither key runs once, now.
 */
export function readJob(body: JsonObject, defaults: JobDefaults): Job {
  const fields = readFields(body, defaults);
  if (has(body, "parents")) return { ...fields, parents: [...new Set(texts(body, "parents"))] };
  if (!has(body, "schedule")) return { ...fields, schedule: "R1//PT24H", scheduleTimeZone: "" };
  return { ...fields, schedule: text(body, "schedule"), scheduleTimeZone: text(body, "scheduleTimeZone") };
}

function readFields(body: JsonObject, defaults: JobDefaults): JobFields {
  const container = readContainer(record(body.container));
  return {
    ...readTexts(body, defaults),
    ...readCounters(body),
    shell: flag(body, "shell", true),
    async: flag(body, "async", false),
    disabled: flag(body, "disabled", false),
    softError: flag(body, "softError", false),
    dataProcessingJobType: flag(body, "dataProcessingJobType", false),
    highPriority: flag(body, "highPriority", false),
    concurrent: flag(body, "concurrent", false),
    retries: integer(body, "retries", 2),
    maxCompletionTime: integer(body, "maxCompletionTime", 0),
    cpus: number(body, "cpus") || defaults.cpus,
    disk: number(body, "disk") || defaults.disk,
    mem: number(body, "mem") || defaults.mem,
    fetch: objects(body, "fetch").map(readFetch),
    uris: texts(body, "uris"),
    arguments: texts(body, "arguments"),
    environmentVariables: objects(body, "environmentVariables").map((one) => ({
      name: text(one, "name"),
      value: text(one, "value"),
    })),
    ...(container === undefined ? {} : { container }),
    constraints: readConstraints(body),
  };
}

function readTexts(body: JsonObject, defaults: JobDefaults) {
  return {
    name: text(body, "name"),
    command: text(body, "command"),
    epsilon: text(body, "epsilon", defaults.epsilon),
    executor: text(body, "executor"),
    executorFlags: text(body, "executorFlags"),
    taskInfoData: text(body, "taskInfoData"),
    owner: text(body, "owner"),
    ownerName: text(body, "ownerName"),
    description: text(body, "description"),
    runAsUser: text(body, "runAsUser", defaults.runAsUser),
  };
}

/** Server-populated, yet taken from the body: a post without them starts from nothing. */
function readCounters(body: JsonObject) {
  return {
    successCount: integer(body, "successCount", 0),
    errorCount: integer(body, "errorCount", 0),
    errorsSinceLastSuccess: integer(body, "errorsSinceLastSuccess", 0),
    lastSuccess: text(body, "lastSuccess"),
    lastError: text(body, "lastError"),
  };
}

function readFetch(one: JsonObject): FetchedFile {
  const outputFile = text(one, "output_file");
  return {
    uri: text(one, "uri"),
    ...(outputFile === "" ? {} : { output_file: outputFile }),
    executable: flag(one, "executable", false),
    cache: flag(one, "cache", false),
    extract: flag(one, "extract", true),
  };
}

const OPERATORS = new Set(["EQUALS", "LIKE", "UNLIKE"]);

/** Constraints with an operator Chronos does not know vanish without a word. */
function readConstraints(body: JsonObject): [string, string, string][] {
  return array(body, "constraints").flatMap((one): [string, string, string][] => {
    const [attribute = "", operator = "", value = ""] = Array.isArray(one) ? one.map(String) : [];
    return OPERATORS.has(operator.toUpperCase()) ? [[attribute, operator.toUpperCase(), value]] : [];
  });
}
