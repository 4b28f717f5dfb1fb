/** A file Mesos would put into the sandbox before the run. */
export interface FetchedFile {
  uri: string;
  output_file?: string;
  executable: boolean;
  cache: boolean;
  extract: boolean;
}

/** The container of a job, in the shape GET shows; see `readContainer`. */
export type ContainerInfo = Record<string, unknown>;

/** What scheduled and dependent jobs have in common. Names and defaults are those of the Chronos API. */
export interface JobFields {
  name: string;
  command: string;
  shell: boolean;
  /** ISO 8601 period; how late a run may start (2.x). */
  epsilon: string;
  executor: string;
  executorFlags: string;
  taskInfoData: string;
  /** Attempts after the first one. */
  retries: number;
  owner: string;
  ownerName: string;
  description: string;
  async: boolean;
  successCount: number;
  errorCount: number;
  /** ISO date-time with milliseconds in UTC, or empty. */
  lastSuccess: string;
  lastError: string;
  cpus: number;
  /** Megabytes. */
  disk: number;
  /** Megabytes. */
  mem: number;
  disabled: boolean;
  softError: boolean;
  dataProcessingJobType: boolean;
  errorsSinceLastSuccess: number;
  fetch: FetchedFile[];
  uris: string[];
  environmentVariables: { name: string; value: string }[];
  arguments: string[];
  highPriority: boolean;
  runAsUser: string;
  /** Whether a run may start while another one runs. */
  concurrent: boolean;
  /** Milliseconds; 0 = no limit. */
  maxCompletionTime: number;
  container?: ContainerInfo;
  /** `[attribute, operator, value]` */
  constraints: [string, string, string][];
}

export interface ScheduledJob extends JobFields {
  /** `R[n]/start/period`; rewritten at every launch. */
  schedule: string;
  scheduleTimeZone: string;
}

export interface DependentJob extends JobFields {
  parents: string[];
}

export type Job = ScheduledJob | DependentJob;

export function isDependent(job: Job): job is DependentJob {
  return "parents" in job;
}

/** `fresh` before the first run has ended; a tie counts as failure, as in Chronos. */
export function lastOutcome(job: Job): "success" | "failure" | "fresh" {
  if (job.lastSuccess === "" && job.lastError === "") return "fresh";
  if (job.lastSuccess === "") return "failure";
  if (job.lastError === "") return "success";
  return Date.parse(job.lastSuccess) > Date.parse(job.lastError) ? "success" : "failure";
}
