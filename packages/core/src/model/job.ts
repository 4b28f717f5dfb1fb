import type { Health } from "./health.ts";
import type { EnvName, Fingerprint, JobId, JobKey, Revision, TargetName } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { FilePath } from "./path.ts";

/** What a job file says to Sluice alone, under its top-level key `sluice:`. */
export interface JobOptions {
  /** Keys of jobs that must be healthy before this one is applied. */
  readonly dependsOn: readonly JobKey[];
  /** How long the job may take to become healthy, in milliseconds; undefined: the target's default. 0: do not wait. */
  readonly waitMs: number | undefined;
  readonly onFailure: "hold" | "rollback";
  readonly prune: "auto" | "never";
  /** Dotted paths of fields that others may change: `instances`. */
  readonly ignore: readonly string[];
  /** The team that hears about the job. */
  readonly owner: string | undefined;
  /** Take over a job of the same id that Sluice did not make. */
  readonly adopt: boolean;
}

export const DEFAULT_JOB_OPTIONS: JobOptions = {
  dependsOn: [],
  waitMs: undefined,
  onFailure: "hold",
  prune: "auto",
  ignore: [],
  owner: undefined,
  adopt: false,
};

/** A job as a file of the revision wants it. */
export interface DesiredJob {
  readonly key: JobKey;
  readonly target: TargetName;
  readonly id: JobId;
  readonly file: FilePath;
  /** 1-based line in the file where the job starts. */
  readonly line: number;
  /** The scheduler's native form, without `sluice:`. */
  readonly spec: JsonObject;
  readonly fingerprint: Fingerprint;
  readonly options: JobOptions;
}

/** Something wrong with a file, in the words of a compiler. */
export interface Problem {
  readonly file: FilePath;
  /** 1-based; absent where the file as a whole is meant. */
  readonly line?: number;
  readonly column?: number;
  /** Dotted path of the key: `container.docker.image`. */
  readonly key?: string;
  readonly reason: "InvalidSpec" | "Duplicate" | "DependencyCycle";
  readonly message: string;
  readonly hint?: string;
}

/** How a job does right now, as its scheduler tells it. */
export interface Observation {
  readonly health: Health;
  /** A sentence: "2 of 3 instances healthy", "the last task failed: exited with 1". Never a secret or a raw error body. */
  readonly message: string;
  /** True once the scheduler itself gave up on, cancelled or undid the last write. */
  readonly failed?: boolean;
  /** True where the scheduler put an earlier spec back by itself. */
  readonly rolledBack?: boolean;
}

/** True where a job is as it should be; one whose spec says "paused" is, once it is. */
export function isWell({ health, failed, rolledBack }: Observation): boolean {
  return !failed && !rolledBack && (health === "Healthy" || health === "Suspended");
}

/** A job as the scheduler has it. */
export interface LiveJob {
  readonly id: JobId;
  /** The native form as the scheduler shows it, Sluice's mark included. */
  readonly spec: JsonObject;
  /** The value of Sluice's ownership mark; undefined: the job bears none. */
  readonly owner: string | undefined;
  /** The scheduler's own version of the job, for compare-and-set and for seeing that it moved; opaque. */
  readonly version: string;
  readonly observed: Observation;
}

/** One difference between two forms of a job. A missing side is absent. */
export interface FieldChange {
  /** Dotted path, `*` never: `container.docker.image`, `env.LOG_LEVEL`. */
  readonly path: string;
  readonly from?: Json;
  readonly to?: Json;
}

/** What Sluice made in a scheduler: one record per job in the KV, the memory that prune and drift rest on. */
export interface InventoryEntry {
  readonly key: JobKey;
  readonly file: FilePath;
  /** The spec that was last sent. */
  readonly fingerprint: Fingerprint;
  /** The live version seen once that spec was healthy; drift is asked only where it moved. */
  readonly version: string | undefined;
  readonly revision: Revision;
  readonly prune: JobOptions["prune"];
  /** The revision that took the job over from others; absent: Sluice made it. */
  readonly adopted?: Revision;
  /** Since when Git no longer names the job, ISO 8601; absent: it does. */
  readonly absentSince?: string;
  /** The last row of times that drift was put right; absent: never. */
  readonly healed?: HealedRow;
  /** What to go back to; kept only of jobs that say `onFailure: rollback`. */
  readonly lastHealthy?: HealthySpec;
}

/** How often in a row a job was put right, and the last time, ISO 8601. */
export interface HealedRow {
  readonly times: number;
  readonly at: string;
}

/** A spec that was healthy. */
export interface HealthySpec {
  readonly fingerprint: Fingerprint;
  /** The revision at which it was. */
  readonly revision: Revision;
  /** Canonical JSON, deflated, base64. It may hold what the job's file holds, so it goes nowhere but the KV. */
  readonly packed: string;
}

/** Where a service writes and what it may touch. */
export interface Ownership {
  readonly environment: EnvName;
  /** The value of the ownership mark on every job of this engine and environment; constant, since changing a label restarts jobs. */
  readonly mark: string;
}
