import type { ChangeCause, Verdict } from "../model/change.ts";
import type { Fingerprint, JobId, JobKey, TargetName } from "../model/ids.ts";
import type { DesiredJob, FieldChange, InventoryEntry, LiveJob } from "../model/job.ts";
import type { JsonObject } from "../model/json.ts";
import type { Desired } from "./desired.ts";
import type { PrunePolicy } from "./prune-policy.ts";

/** What a target answered. */
export interface LiveListing {
  readonly jobs: ReadonlyMap<JobId, LiveJob>;
  /** Whether this job was asked for: only then does its absence from `jobs` mean that it is not there. */
  covers(id: JobId): boolean;
}

/** Why a job is left alone for now. */
export type Objection = Pick<Verdict, "reason" | "message">;

/** A target whose list failed has no entry, and nothing is planned for it. */
export type LiveByTarget = ReadonlyMap<TargetName, LiveListing>;

export interface PlanInput {
  /** The value of our ownership mark. */
  readonly mark: string;
  readonly desired: Desired;
  readonly live: LiveByTarget;
  readonly inventory: ReadonlyMap<JobKey, InventoryEntry>;
  /** The jobs to look at; "all" is a whole round, which alone finds every drift. */
  readonly scope: "all" | ReadonlySet<JobKey>;
  /** Specs that failed and are not sent again. */
  readonly held: ReadonlyMap<JobKey, Fingerprint>;
  /** Of jobs that are held: the job with the spec to go back to. */
  readonly fallback?: ReadonlyMap<JobKey, DesiredJob>;
  readonly suspended: (key: JobKey) => boolean;
  /** False: drift of this job is only reported. */
  readonly heal: (key: JobKey) => boolean;
  /** Asked of everything that is about to be sent or removed: why not now. */
  readonly postponed?: (key: JobKey, what: ChangeCause | "prune") => Objection | undefined;
  readonly compare: (
    target: TargetName,
    desired: JsonObject,
    live: JsonObject,
    ignore: readonly string[],
  ) => readonly FieldChange[];
  readonly prune: PrunePolicy;
}
