import type { TextPlace } from "../document.ts";
import type { JobId, TargetName } from "../model/ids.ts";
import type { FieldChange, JobOptions, LiveJob, Problem } from "../model/job.ts";
import type { JsonObject } from "../model/json.ts";
import type { FilePath } from "../model/path.ts";

/** Which jobs to list: all that bear the mark, or these ids whoever made them. */
export type LiveQuery = { readonly mark: string } | { readonly ids: readonly JobId[] };

export interface ApplyRequest {
  readonly id: JobId;
  /** The native form; the driver adds the ownership mark. */
  readonly spec: JsonObject;
  readonly mark: string;
  /** The job as it was planned against; undefined: it must not exist yet. */
  readonly live: LiveJob | undefined;
  /** Fields left to others (dotted paths): the live value is sent back unchanged. */
  readonly ignore: readonly string[];
  readonly proof?: Proof | undefined;
}

export interface RemoveRequest {
  readonly id: JobId;
  readonly mark: string;
  readonly proof?: Proof | undefined;
}

/**
 * Called right before each request that changes something, after all that was read for it: it rejects where the caller may
 * not write any more, and then nothing is sent and the rejection is passed on as it is. A process that was paused after its
 * last read must not send what others have decided on since.
 */
export type Proof = () => Promise<void>;

/**
 * A scheduler. Failures are mapped once, here: SCHEDULER_UNREACHABLE (network, 429, 5xx: transient), SCHEDULER_DENIED,
 * SCHEDULER_CONFLICT (it moved, or exists already), SCHEDULER_LOCKED (busy with another deployment), SCHEDULER_INVALID
 * (refused for good). An answer is always whole.
 */
export interface Scheduler {
  list(query: LiveQuery, signal?: AbortSignal): Promise<readonly LiveJob[]>;
  /** Creates or wholly replaces a job; resolves when the scheduler has accepted the write, with the job's new version. */
  apply(request: ApplyRequest, signal?: AbortSignal): Promise<{ readonly version: string }>;
  /** Removes a job; one that is gone already counts as removed. Never removes a job that does not bear the mark. */
  remove(request: RemoveRequest, signal?: AbortSignal): Promise<void>;
  /** Yields a job's id, or undefined for "any", when something may have happened; a hint only. Ends when the signal aborts; reconnects inside. */
  watch?(signal: AbortSignal): AsyncIterable<JobId | undefined>;
  /** Stops the scheduler's running rollout of a job. */
  cancel?(id: JobId, signal?: AbortSignal): Promise<void>;
}

export interface ParsedJob {
  readonly id: JobId;
  readonly spec: JsonObject;
  readonly options: JobOptions;
  /** 1-based. */
  readonly line: number;
}

export interface ParsedFile {
  readonly jobs: readonly ParsedJob[];
  /** Never empty when a job of the file had to be left out. */
  readonly problems: readonly Problem[];
}

/** What is known of a kind of job without asking its scheduler: pure functions, usable in a hook, a test and a plan. */
export interface JobFormat {
  /** `marathon`, `chronos`, … */
  readonly type: string;
  /** True for files that are jobs of this format by their name: `.yaml`, `.yml`, `.json`. */
  accepts(path: FilePath): boolean;
  parse(file: { readonly path: FilePath; readonly bytes: Uint8Array }, target: TargetName): ParsedFile;
  /**
   * The differences, by field, after both sides were brought to one form (defaults, units, sets, server-made values).
   * `live` may also be another desired spec. Nothing under a path of `ignore` is reported.
   */
  compare(desired: JsonObject, live: JsonObject, ignore: readonly string[]): readonly FieldChange[];
  /** Where the file says what stands at a dotted path of a job's spec, or what comes nearest; undefined: the job is not there. */
  place?(
    file: { readonly path: FilePath; readonly bytes: Uint8Array },
    field: FieldOfJob,
  ): TextPlace | undefined;
}

export interface FieldOfJob {
  readonly target: TargetName;
  readonly id: JobId;
  readonly path: string;
}
