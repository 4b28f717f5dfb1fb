import { type JobKey, type Objection, type PlanInput, splitJobKey, type TargetName } from "@sluice/core";
import { closedWindow } from "../policy/windows.ts";
import { known, type Pass } from "../term.ts";
import { healsAgainAt } from "./heal-row.ts";

/** Says what is not done now although it is to be done: outside its window, or put right too often in a row. */
export function postponement(pass: Pass): NonNullable<PlanInput["postponed"]> {
  const closed = new Map<TargetName, Objection | undefined>();

  function window(target: TargetName): Objection | undefined {
    if (!closed.has(target)) closed.set(target, windowOf(target, pass));
    return closed.get(target);
  }

  return (key, what) => {
    // A job that failed is put back at once: waiting for a window would only make it worse.
    if (what === "rollback") return undefined;
    return window(splitJobKey(key).target) ?? (what === "drift" ? tooOften(key, pass) : undefined);
  };
}

/** A person's word to change things outside the window holds for its revision, and for this long. */
const OVERRIDE_MS = 60 * 60_000;

function windowOf(target: TargetName, pass: Pass): Objection | undefined {
  const { policy } = known(pass.term.tree, "revision");
  const { sync, marker } = known(pass.seen, "revision");
  const now = pass.term.options.clock.now();
  const message = closedWindow(policy.get(target)?.windows ?? [], now);
  if (message === undefined) return undefined;
  const age = now - Date.parse(sync?.at ?? "");
  if (sync?.override && sync.revision === marker.revision && age < OVERRIDE_MS) return undefined;
  return { reason: "OutsideWindow", message };
}

function tooOften(key: JobKey, { term }: Pass): Objection | undefined {
  const row = known(term.records, "records").inventory.get(key)?.healed;
  const until = healsAgainAt(row, term.options.clock.now());
  if (!row || until === undefined) return undefined;
  term.later.set(key, until);
  const again = new Date(until).toISOString();
  return {
    reason: "Drifted",
    message: `changed in the scheduler again after it was put right ${row.times} times in a row; the next time is not before ${again}`,
  };
}
