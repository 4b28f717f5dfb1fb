import type { Change, Verdict } from "../model/change.ts";
import { type JobKey, splitJobKey, type TargetName } from "../model/ids.ts";
import type { InventoryEntry, LiveJob } from "../model/job.ts";
import { displayPath } from "../model/path.ts";
import type { Objection, PlanInput } from "./plan-input.ts";

interface Prunes {
  readonly changes: readonly Change[];
  readonly refused: readonly Verdict[];
  readonly forgotten: readonly JobKey[];
}

type Candidate = { readonly entry: InventoryEntry; readonly live: LiveJob };

/** What Sluice made in one target, and which of it the revision no longer names. */
interface TargetRecords {
  owned: number;
  readonly absent: InventoryEntry[];
}

/**
 * What may be removed: only what is in our inventory, bears our mark, and is absent from a revision that was read whole, holds
 * at least one file and has no unreadable one in that target; within the limit. Where it holds no job at all, only what a
 * person agreed to. Everything else is left, with its reason.
 */
export function planPrunes(input: PlanInput): Prunes {
  const changes: Change[] = [];
  const refused: Verdict[] = [];
  const forgotten: JobKey[] = [];
  for (const [target, records] of recordsByTarget(input)) {
    const listing = input.live.get(target);
    if (!listing) continue;
    const candidates: Candidate[] = [];
    let unseen = 0;
    for (const entry of records.absent) {
      const { id } = splitJobKey(entry.key);
      const covered = listing.covers(id);
      const live = listing.jobs.get(id);
      const kept = objectionToOne(entry, input);
      if (covered && live?.owner !== input.mark) forgotten.push(entry.key);
      else if (covered && kept) refused.push({ key: entry.key, ...kept });
      else if (covered && live) candidates.push({ entry, live });
      else if (!kept) unseen += 1;
    }
    const objection = objectionTo(target, candidates.length + unseen, records.owned, input);
    for (const { entry, live } of candidates) {
      const why = objection ?? objectionForNow(target, entry, input);
      if (why) refused.push({ key: entry.key, ...why });
      else changes.push({ kind: "prune", key: entry.key, entry, live });
    }
  }
  return { changes, refused, forgotten };
}

/** Every inventory record, whatever the scope is: the limit is about all removals, seen or not, or a round at a time would evade it. */
function recordsByTarget({ inventory, desired }: PlanInput): Map<TargetName, TargetRecords> {
  const targets = new Map<TargetName, TargetRecords>();
  for (const entry of inventory.values()) {
    const { target } = splitJobKey(entry.key);
    const records = targets.get(target) ?? { owned: 0, absent: [] };
    targets.set(target, records);
    records.owned += 1;
    if (!desired.jobs.has(entry.key) && !desired.stalled.has(entry.key)) records.absent.push(entry);
  }
  return targets;
}

function objectionToOne(entry: InventoryEntry, input: PlanInput): Objection | undefined {
  if (entry.prune === "never") return { reason: "PruneRefused", message: "its file said `prune: never`" };
  const kept = input.prune.kept?.(entry);
  if (kept !== undefined) return { reason: "PruneRefused", message: kept };
  if (input.suspended(entry.key)) return { reason: "Suspended", message: "suspended by a person" };
  return undefined;
}

/** What time alone will settle; it counts towards the limit meanwhile. */
function objectionForNow(
  target: TargetName,
  entry: InventoryEntry,
  { prune, postponed }: PlanInput,
): Objection | undefined {
  const young = prune.confirmed.has(target) ? undefined : prune.young?.(entry);
  if (young !== undefined) return { reason: "PrunePending", message: young };
  return postponed?.(entry.key, "prune");
}

/** @param count the jobs of the target that would be removed. @param owned the jobs Sluice made there. */
function objectionTo(
  target: TargetName,
  count: number,
  owned: number,
  { desired, prune }: PlanInput,
): Objection | undefined {
  const confirmed = prune.confirmed.has(target);
  const empty = desired.jobs.size === 0;
  if (empty && !prune.files)
    return {
      reason: "PruneRefused",
      message: "the revision holds no file at all, which is taken for a mistake",
    };
  const broken = desired.broken.get(target)?.[0];
  if (broken !== undefined)
    return {
      reason: "PruneRefused",
      message: `${displayPath(broken)} has a problem and might hold this job`,
    };
  const limits = prune.targets?.get(target) ?? prune;
  if (limits === "never")
    return { reason: "PruneRefused", message: "the policy of this target says `prune: never`" };
  if (empty && !confirmed)
    return {
      reason: "PrunePending",
      message: "the revision holds no usable job at all, so a person must agree with `sluice prune confirm`",
    };
  const limit = Math.max(limits.maxJobs, Math.floor(owned * limits.maxShare));
  if (confirmed || count <= limit) return undefined;
  return {
    reason: "PrunePending",
    message: `${count} of ${owned} jobs are gone from Git and at most ${limit} are removed unasked`,
  };
}
