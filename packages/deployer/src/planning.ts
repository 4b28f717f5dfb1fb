import {
  DEFAULT_PRUNE_LIMITS,
  type Fingerprint,
  type JobKey,
  type LiveByTarget,
  type Plan,
  type PlanInput,
  plan,
  splitJobKey,
} from "@sluice/core";
import { isSuspended } from "./controls.ts";
import { known, type Pass } from "./term.ts";

/** Core's plan for these jobs, with everything else it needs taken from the pass. */
export function planFor(
  pass: Pass,
  scope: ReadonlySet<JobKey>,
  live: LiveByTarget,
  held: ReadonlyMap<JobKey, Fingerprint>,
): Plan {
  return plan({ ...standingInput(pass), scope, live, held });
}

function standingInput(pass: Pass): Omit<PlanInput, "scope" | "live" | "held"> {
  const { term } = pass;
  const { options } = term;
  const tree = known(term.tree, "revision");
  const { sync, suspension, marker } = known(pass.seen, "revision");
  return {
    mark: options.mark,
    desired: tree.desired,
    inventory: known(term.records, "records").inventory,
    suspended: (key) =>
      isSuspended(suspension, key) || tree.policy.get(splitJobKey(key).target)?.suspend === true,
    heal: (key) => {
      const { target } = splitJobKey(key);
      return tree.policy.get(target)?.heal ?? options.targets.get(target)?.heal ?? true;
    },
    compare: (target, desired, found, ignore) =>
      known(options.targets.get(target), `target ${target}`).format.compare(desired, found, ignore),
    prune: {
      ...DEFAULT_PRUNE_LIMITS,
      targets: new Map([...tree.policy].map(([target, policy]) => [target, policy.prune])),
      confirmed: new Set(sync?.revision === marker.revision ? sync.prune : []),
    },
  };
}

/** Specs that failed and nobody asked to have sent again since. */
export function heldSpecs({ term, seen }: Pass): Map<JobKey, Fingerprint> {
  const held = new Map<JobKey, Fingerprint>();
  if (term.retry) return held;
  const sync = seen?.sync;
  // Told by its time as well, so that a wish made while no engine ran is heeded.
  const retriedAt = sync?.retry ? Date.parse(sync.at) : Number.NaN;
  for (const status of known(term.records, "records").statuses.values())
    if (status.failed && !(retriedAt > Date.parse(status.since))) held.set(status.key, status.failed);
  return held;
}
