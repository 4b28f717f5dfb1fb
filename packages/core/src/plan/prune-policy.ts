import type { TargetName } from "../model/ids.ts";
import type { InventoryEntry } from "../model/job.ts";

export interface PruneLimits {
  /** At most this many jobs of a target are removed without being asked … */
  readonly maxJobs: number;
  /** … or this share of what Sluice made there (0 to 1), whichever is more. */
  readonly maxShare: number;
}

export interface PrunePolicy extends PruneLimits {
  /** Targets with limits of their own, or where nothing is ever removed. */
  readonly targets?: ReadonlyMap<TargetName, PruneLimits | "never">;
  /** How many files the revision holds. 0, or not known: where it names no job either, nothing is removed whatever a person says. */
  readonly files?: number;
  /** Why a job that is gone from Git stays all the same, whatever the limits say: its file may be there and not be mirrored. */
  readonly kept?: (entry: InventoryEntry) => string | undefined;
  /** Why a job has not been gone for long enough; not asked where a person said yes. */
  readonly young?: (entry: InventoryEntry) => string | undefined;
  /** Targets for which a person said yes to the removals of this revision. */
  readonly confirmed: ReadonlySet<TargetName>;
}

export const DEFAULT_PRUNE_LIMITS = { maxJobs: 5, maxShare: 0.2 } as const;
