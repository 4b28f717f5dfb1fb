import type { TargetName } from "../model/ids.ts";

export interface PruneLimits {
  /** At most this many jobs of a target are removed without being asked … */
  readonly maxJobs: number;
  /** … or this share of what Sluice made there (0 to 1), whichever is more. */
  readonly maxShare: number;
}

export interface PrunePolicy extends PruneLimits {
  /** Targets with limits of their own, or where nothing is ever removed. */
  readonly targets?: ReadonlyMap<TargetName, PruneLimits | "never">;
  /** Targets for which a person said yes to the removals of this revision. */
  readonly confirmed: ReadonlySet<TargetName>;
}

export const DEFAULT_PRUNE_LIMITS = { maxJobs: 5, maxShare: 0.2 } as const;
