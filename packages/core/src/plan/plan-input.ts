import type { Fingerprint, JobId, JobKey, TargetName } from "../model/ids.ts";
import type { FieldChange, InventoryEntry, LiveJob } from "../model/job.ts";
import type { JsonObject } from "../model/json.ts";
import type { Desired } from "./desired.ts";
import type { PrunePolicy } from "./prune-policy.ts";

/** What a target answered. */
export interface LiveListing {
  readonly jobs: ReadonlyMap<JobId, LiveJob>;
  /** Whether this job was asked for: only then does its absence from `jobs` mean that it is not there. */
  covers(id: JobId): boolean;
}

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
  readonly suspended: (key: JobKey) => boolean;
  /** False: drift of this job is only reported. */
  readonly heal: (key: JobKey) => boolean;
  readonly compare: (
    target: TargetName,
    desired: JsonObject,
    live: JsonObject,
    ignore: readonly string[],
  ) => readonly FieldChange[];
  readonly prune: PrunePolicy;
}
