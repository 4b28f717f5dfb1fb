import type { Change, Verdict } from "../model/change.ts";
import { type JobKey, splitJobKey, type TargetName } from "../model/ids.ts";
import type { InventoryEntry, LiveJob } from "../model/job.ts";
import type { PlanInput } from "./plan.ts";

export interface PrunePolicy {
  /** At most this many jobs of a target are removed without being asked … */
  readonly maxJobs: number;
  /** … or this share of what Sluice made there (0 to 1), whichever is more. */
  readonly maxShare: number;
  /** Targets for which a person said yes to the removals of this revision. */
  readonly confirmed: ReadonlySet<TargetName>;
}

export const DEFAULT_PRUNE_LIMITS = { maxJobs: 5, maxShare: 0.2 } as const;

interface Prunes {
  readonly changes: readonly Change[];
  readonly refused: readonly Verdict[];
  readonly forgotten: readonly JobKey[];
}

type Candidate = { readonly entry: InventoryEntry; readonly live: LiveJob };

/**
 * What may be removed: only what is in our inventory, bears our mark, and is absent from a revision that was read whole, holds
 * at least one job and has no unreadable file in that target; within the limit. Everything else is left, with its reason.
 */
export function planPrunes(input: PlanInput): Prunes {
  const changes: Change[] = [];
  const refused: Verdict[] = [];
  const forgotten: JobKey[] = [];
  for (const [target, entries] of absentByTarget(input)) {
    const listing = input.live.get(target);
    if (!listing) continue;
    const candidates: Candidate[] = [];
    for (const entry of entries) {
      const { id } = splitJobKey(entry.key);
      if (!listing.covers(id)) continue;
      const live = listing.jobs.get(id);
      if (!live || live.owner !== input.mark) forgotten.push(entry.key);
      else candidates.push({ entry, live });
    }
    const objection = objectionTo(target, candidates, input);
    for (const { entry, live } of candidates) {
      const own = objectionToOne(entry, input) ?? objection;
      if (own) refused.push({ key: entry.key, ...own });
      else changes.push({ kind: "prune", key: entry.key, entry, live });
    }
  }
  return { changes, refused, forgotten };
}

/** Every inventory record whose job the revision no longer names, whatever the scope is: the limit is about all of them. */
function absentByTarget({ inventory, desired }: PlanInput): Map<TargetName, InventoryEntry[]> {
  const absent = new Map<TargetName, InventoryEntry[]>();
  for (const entry of inventory.values()) {
    if (desired.jobs.has(entry.key) || desired.stalled.has(entry.key)) continue;
    const { target } = splitJobKey(entry.key);
    const entries = absent.get(target);
    if (entries) entries.push(entry);
    else absent.set(target, [entry]);
  }
  return absent;
}

function objectionToOne(entry: InventoryEntry, input: PlanInput): Omit<Verdict, "key"> | undefined {
  if (entry.prune === "never") return { reason: "PruneRefused", message: "its file said `prune: never`" };
  if (input.suspended(entry.key)) return { reason: "Suspended", message: "suspended by a person" };
  return undefined;
}

function objectionTo(
  target: TargetName,
  candidates: readonly Candidate[],
  input: PlanInput,
): Omit<Verdict, "key"> | undefined {
  if (input.desired.jobs.size === 0)
    return {
      reason: "PruneRefused",
      message: "the revision holds no job at all, which is taken for a mistake",
    };
  const broken = input.desired.broken.get(target);
  if (broken)
    return { reason: "PruneRefused", message: `${broken[0]} cannot be read and might hold this job` };
  if (input.prune.confirmed.has(target)) return undefined;
  const owned = [...input.inventory.keys()].filter((key) => splitJobKey(key).target === target).length;
  const limit = Math.max(input.prune.maxJobs, Math.floor(owned * input.prune.maxShare));
  if (candidates.length <= limit) return undefined;
  return {
    reason: "PrunePending",
    message: `${candidates.length} of ${owned} jobs are gone from Git and at most ${limit} are removed unasked`,
  };
}
