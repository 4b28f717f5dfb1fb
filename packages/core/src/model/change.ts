import type { JobKey } from "./ids.ts";
import type { DesiredJob, FieldChange, InventoryEntry, LiveJob } from "./job.ts";
import type { Reason } from "./reason.ts";

/** Why a job is to be written. */
export type ChangeCause =
  | "revision"
  | "drift"
  /** A job that Sluice did not make is taken over. */
  | "adopt"
  /** The spec of the revision failed: the last healthy one is put back. `desired` then holds that one. */
  | "rollback";

/** One thing to do in a scheduler. */
export type Change =
  | {
      readonly kind: "create";
      readonly key: JobKey;
      readonly cause: ChangeCause;
      readonly desired: DesiredJob;
    }
  | {
      readonly kind: "update";
      readonly key: JobKey;
      readonly cause: ChangeCause;
      readonly desired: DesiredJob;
      readonly live: LiveJob;
      readonly fields: readonly FieldChange[];
    }
  | { readonly kind: "prune"; readonly key: JobKey; readonly entry: InventoryEntry; readonly live: LiveJob };

/** A job the plan leaves as it is, and why. */
export interface Verdict {
  readonly key: JobKey;
  readonly reason: Reason;
  readonly message: string;
  readonly fields?: readonly FieldChange[];
}

/** What a deployment will do: a value, made without I/O and without a clock. */
export interface Plan {
  /** In no order; `dependsOn` orders them when they are rolled out, prunes come last. */
  readonly changes: readonly Change[];
  /** Jobs that are as they should be. */
  readonly unchanged: readonly JobKey[];
  /** Jobs that are not as Git says and yet are left alone. */
  readonly refused: readonly Verdict[];
  /** Inventory records of jobs that Git no longer names and that are gone, or not ours any more: only the record goes. */
  readonly forgotten: readonly JobKey[];
}
