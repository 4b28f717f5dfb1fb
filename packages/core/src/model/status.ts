import type { Health, SyncStatus } from "./health.ts";
import type { Fingerprint, JobKey, Revision, TargetName } from "./ids.ts";
import type { Problem } from "./job.ts";
import type { FilePath } from "./path.ts";
import type { Reason } from "./reason.ts";

/** What is known of one job; kept in the KV, one key a job. Times are ISO 8601, UTC. */
export interface JobStatus {
  readonly key: JobKey;
  readonly file: FilePath | undefined;
  readonly sync: SyncStatus;
  readonly health: Health;
  readonly reason: Reason;
  /** A sentence for a person. */
  readonly message: string;
  /** The revision the work was last begun for. */
  readonly attempted: Revision | undefined;
  /** The revision at which the job was last in sync and healthy, or paused as its spec says. */
  readonly applied: Revision | undefined;
  /** The spec that failed and is held; cleared when Git changes it or a person retries. */
  readonly failed: Fingerprint | undefined;
  /** The team that hears about the job. */
  readonly owner?: string | undefined;
  /** The revision that took the job over from others; absent: Sluice made it. */
  readonly adopted?: Revision | undefined;
  /** When (sync, health, reason) last changed. */
  readonly since: string;
}

/** How a deployment of one revision to one environment goes; kept in the KV under one key. */
export interface DeploymentStatus {
  readonly attempted: Revision;
  /** The last revision at which every job was healthy. */
  readonly applied: Revision | undefined;
  readonly state: "progressing" | "healthy" | "degraded" | "stalled";
  readonly reason: Reason;
  readonly message: string;
  readonly counts: DeploymentCounts;
  readonly startedAt: string;
  readonly finishedAt: string | undefined;
  /** `at` of the newest `control/sync` or `control/prune` that a whole look, with every target answering, has come to its end with. */
  readonly syncedToken?: string;
  /** What is wrong with files of the revision, the first of them; a file that cannot be read has no job to show it. */
  readonly problems?: readonly Problem[];
  /** How many there are, where not all are listed. */
  readonly problemsTotal?: number;
  /** Targets that do not answer now: nothing is known of their jobs but what was seen last. */
  readonly silent?: readonly SilentTarget[];
}

/** A target that could not be listed. */
export interface SilentTarget {
  readonly target: TargetName;
  readonly reason: Reason;
  readonly message: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface DeploymentCounts {
  readonly jobs: number;
  readonly healthy: number;
  readonly progressing: number;
  readonly failed: number;
  readonly created: number;
  readonly updated: number;
  readonly pruned: number;
}
