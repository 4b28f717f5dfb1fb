import type { JobFields } from "./job.ts";

export type ProfileName = "2.x" | "3.x";

/** How one generation of Chronos differs from another, as data. Facts read in the sources of 2.5.1 and 3.0. */
export interface Profile {
  name: ProfileName;
  /** Path in front of every route but `/ping` and `/metrics`. */
  prefix: string;
  /** Methods that write a job. */
  writeMethods: readonly ("POST" | "PUT")[];
  jobName: RegExp;
  /** `jobName` as error messages show it. */
  jobNameText: string;
  /** Whether a created job reaches the graph only with the next turn of the loader, its parents unchecked. */
  loadsLater: boolean;
  /** Whether missed runs collapse into one, however late; otherwise a run later than the job's `epsilon` is skipped. */
  collapsesMissedRuns: boolean;
  /** Whether "run now" uses up one repetition of `Rn`. */
  manualRunConsumes: boolean;
  /** Whether errors are `{status, message}` or plain text. */
  jsonErrors: boolean;
  /**
   * Whether `async` jobs exist, whose runs end when somebody says so by `PUT /task/{id}` and not with their process, and
   * `DELETE /task/all`, which empties the queue.
   */
  asyncJobs: boolean;
  /** Status of `DELETE /task/kill/{unknown}`. */
  unknownKillStatus: 400 | 500;
  /** Whether `GET /job/{name}` and `GET /jobs/summary` exist. */
  readsOneJob: boolean;
  /** Fields that a dependent job loses when the deletion of its scheduled parent makes it a scheduled job. */
  lostByOrphans: readonly (keyof JobFields)[];
  /** Fields of a job in the order in which GET writes them; `schedule` or `parents` follow. */
  fields: readonly (keyof JobFields)[];
}

const HEAD = ["name", "command", "shell"] as const;
const TEXT = [
  "executor",
  "executorFlags",
  "taskInfoData",
  "retries",
  "owner",
  "ownerName",
  "description",
] as const;
const COUNTERS = ["successCount", "errorCount", "lastSuccess", "lastError"] as const;
const RESOURCES = ["cpus", "disk", "mem", "disabled", "softError", "dataProcessingJobType"] as const;
const RUN = ["fetch", "uris", "environmentVariables", "arguments", "highPriority", "runAsUser"] as const;
/** What `JobManagementResource` of 3.0 does not copy. */
const FORGOTTEN = [
  ...([
    "ownerName",
    "description",
    "shell",
    "concurrent",
    "maxCompletionTime",
    "dataProcessingJobType",
  ] as const),
  ...(["errorsSinceLastSuccess", "environmentVariables", "arguments", "runAsUser"] as const),
  ...(["container", "constraints"] as const),
];
const TAIL = ["container", "constraints"] as const;

const profiles: Record<ProfileName, Profile> = {
  "3.x": {
    name: "3.x",
    prefix: "/v1/scheduler",
    writeMethods: ["POST"],
    jobName: /^[\w.-]+$/,
    jobNameText: "([\\w.-]+)",
    loadsLater: true,
    collapsesMissedRuns: true,
    manualRunConsumes: true,
    jsonErrors: true,
    asyncJobs: false,
    unknownKillStatus: 400,
    readsOneJob: true,
    lostByOrphans: FORGOTTEN,
    fields: [
      ...HEAD,
      ...TEXT,
      ...COUNTERS,
      ...RESOURCES,
      "errorsSinceLastSuccess",
      ...RUN,
      "concurrent",
      "maxCompletionTime",
      ...TAIL,
    ],
  },
  "2.x": {
    name: "2.x",
    prefix: "/scheduler",
    writeMethods: ["POST", "PUT"],
    jobName: /^[\w\s.#-]+$/,
    jobNameText: "([\\w\\s\\.#_-]+)",
    loadsLater: false,
    collapsesMissedRuns: false,
    manualRunConsumes: false,
    jsonErrors: false,
    asyncJobs: true,
    unknownKillStatus: 500,
    readsOneJob: false,
    lostByOrphans: [],
    fields: [
      ...HEAD,
      "epsilon",
      ...TEXT,
      "async",
      ...COUNTERS,
      ...RESOURCES,
      "errorsSinceLastSuccess",
      ...RUN,
      ...TAIL,
    ],
  },
};

/** @throws an Error naming the known profiles. */
export function profileNamed(name: ProfileName): Profile {
  const profile = profiles[name];
  if (profile === undefined)
    throw new Error(`Chronos has no profile "${name}"; known: ${Object.keys(profiles).join(", ")}`);
  return profile;
}
