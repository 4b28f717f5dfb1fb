import {
  DEFAULT_PRUNE_LIMITS,
  type DesiredJob,
  type Fingerprint,
  type InventoryEntry,
  type JobKey,
  type LiveByTarget,
  type Plan,
  type PlanInput,
  plan,
  type Revision,
  splitJobKey,
  type TargetName,
} from "@sluice/core";
import { isSuspended, type PruneConsent } from "./controls.ts";
import { postponement } from "./gates/postponement.ts";
import { keptFile, stillYoung } from "./gates/removal.ts";
import { unpackSpec } from "./records/entry.ts";
import { known, type Pass } from "./term.ts";

/** Core's plan for the jobs this pass looks at, and for what Git no longer names. */
export function planAll(pass: Pass, held: ReadonlyMap<JobKey, Fingerprint>): Plan {
  const { inventory } = known(pass.term.records, "records");
  // Removals are judged against everything Sluice made; where nothing is absent, only the jobs in scope matter.
  const needed = pass.term.absent.size > 0 ? inventory : entriesOf(pass.scope, inventory);
  return plan({
    ...standingInput(pass),
    inventory: needed,
    scope: pass.scope,
    live: pass.live,
    held,
    fallback: fallbackOf(pass, held),
  });
}

/** Core's plan for one job, from what its scheduler says now. @param failed the spec that is not to be sent, where there is one. */
export function planOne(pass: Pass, key: JobKey, live: LiveByTarget, failed?: Fingerprint): Plan {
  const scope = new Set([key]);
  const inventory = entriesOf(scope, known(pass.term.records, "records").inventory);
  const held = new Map(failed === undefined ? [] : [[key, failed]]);
  return plan({ ...standingInput(pass), inventory, scope, live, held, fallback: fallbackOf(pass, held) });
}

/** Of jobs that are held and ask for that: with the last spec they were healthy with. */
function fallbackOf({ term }: Pass, held: ReadonlyMap<JobKey, Fingerprint>): Map<JobKey, DesiredJob> {
  const { desired } = known(term.tree, "revision");
  const { inventory } = known(term.records, "records");
  const found = new Map<JobKey, DesiredJob>();
  for (const [key, failed] of held) {
    const job = desired.jobs.get(key);
    const kept = inventory.get(key)?.lastHealthy;
    if (!kept || job?.options.onFailure !== "rollback" || job.fingerprint !== failed) continue;
    const spec = kept.fingerprint === failed ? undefined : unpackSpec(kept);
    if (spec) found.set(key, { ...job, spec, fingerprint: kept.fingerprint });
  }
  return found;
}

function entriesOf(
  keys: Iterable<JobKey>,
  inventory: ReadonlyMap<JobKey, InventoryEntry>,
): Map<JobKey, InventoryEntry> {
  const entries = new Map<JobKey, InventoryEntry>();
  for (const key of keys) {
    const entry = inventory.get(key);
    if (entry) entries.set(key, entry);
  }
  return entries;
}

function standingInput(pass: Pass): Omit<PlanInput, "scope" | "live" | "held" | "inventory"> {
  const { term } = pass;
  const { options } = term;
  const tree = known(term.tree, "revision");
  const { sync, agreed, suspension, marker } = known(pass.seen, "revision");
  return {
    mark: options.mark,
    desired: tree.desired,
    suspended: (key) =>
      isSuspended(suspension, key) || tree.policy.get(splitJobKey(key).target)?.suspend === true,
    heal: (key) => {
      const { target } = splitJobKey(key);
      return tree.policy.get(target)?.heal ?? options.targets.get(target)?.heal ?? true;
    },
    postponed: postponement(pass),
    compare: (target, desired, found, ignore) =>
      known(options.targets.get(target), `target ${target}`).format.compare(desired, found, ignore),
    prune: {
      ...DEFAULT_PRUNE_LIMITS,
      targets: new Map([...tree.policy].map(([target, policy]) => [target, policy.prune])),
      files: tree.oids.size,
      kept: keptFile(tree.marker),
      young: (entry) => stillYoung(entry, pass),
      confirmed: confirmedFor(marker.revision, [sync, agreed]),
    },
  };
}

/** What was agreed to for another revision is not agreed to for this one. */
function confirmedFor(
  revision: Revision,
  words: readonly (Pick<PruneConsent, "prune" | "revision"> | undefined)[],
): Set<TargetName> {
  return new Set(words.flatMap((word) => (word?.revision === revision ? word.prune : [])));
}

/** Specs of jobs in scope that failed and nobody asked to have sent again since. */
export function heldSpecs({ term, seen, scope }: Pass): Map<JobKey, Fingerprint> {
  const held = new Map<JobKey, Fingerprint>();
  if (term.retry) return held;
  const sync = seen?.sync;
  // Told by its time as well, so that a wish made while no engine ran is heeded.
  const retriedAt = sync?.retry ? Date.parse(sync.at) : Number.NaN;
  const { statuses } = known(term.records, "records");
  for (const key of scope) {
    const status = statuses.get(key);
    if (status?.failed && !(retriedAt > Date.parse(status.since))) held.set(key, status.failed);
  }
  return held;
}
