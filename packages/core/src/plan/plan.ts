import { messageOf } from "../errors.ts";
import type { Change, Plan, Verdict } from "../model/change.ts";
import type { JobKey } from "../model/ids.ts";
import {
  type DesiredJob,
  type FieldChange,
  type InventoryEntry,
  isWell,
  type LiveJob,
} from "../model/job.ts";
import { redact } from "../redact.ts";
import type { PlanInput } from "./plan-input.ts";
import { planPrunes } from "./prune.ts";

type Decision = Change | Verdict | "unchanged";

/** Decides what to do: no I/O, no clock. What diff, dry run, push output, events and the rollout read is this one value. */
export function plan(input: PlanInput): Plan {
  const changes: Change[] = [];
  const refused: Verdict[] = [];
  const unchanged: JobKey[] = [];
  for (const job of inScope(input)) {
    const decision = decideAlone(job, input);
    if (decision === "unchanged") unchanged.push(job.key);
    else if (decision && "kind" in decision) changes.push(decision);
    else if (decision) refused.push(decision);
  }
  const prunes = planPrunes(input);
  return {
    changes: [...changes, ...prunes.changes],
    unchanged,
    refused: [...refused, ...prunes.refused],
    forgotten: prunes.forgotten,
  };
}

function* inScope({ desired, scope }: PlanInput): Iterable<DesiredJob> {
  if (scope === "all") return yield* desired.jobs.values();
  for (const key of scope) {
    const job = desired.jobs.get(key);
    if (job) yield job;
  }
}

/** A job that cannot be compared, whatever it is that its scheduler shows, is left alone and stops no other. */
function decideAlone(job: DesiredJob, input: PlanInput): Decision | undefined {
  try {
    return decide(job, input);
  } catch (error) {
    const why = redact(messageOf(error));
    return verdict(job, "InvalidSpec", `it cannot be compared with what the scheduler shows: ${why}`);
  }
}

/** Undefined: the job's live state is unknown, so nothing is decided. */
function decide(job: DesiredJob, input: PlanInput): Decision | undefined {
  const listing = input.live.get(job.target);
  if (!listing?.covers(job.id)) return undefined;
  if (input.suspended(job.key)) return verdict(job, "Suspended", "suspended by a person");
  const live = listing.jobs.get(job.id);
  const decision = decideUnheld(job, live, input);
  const held = input.held.get(job.key) === job.fingerprint;
  return unlessPostponed(held ? whenHeld(job, live, decision, input) : decision, input);
}

function sends(decision: Decision): decision is Change {
  return decision !== "unchanged" && "kind" in decision;
}

function unlessPostponed(decision: Decision, { postponed }: PlanInput): Decision {
  if (!sends(decision) || decision.kind === "prune") return decision;
  const why = postponed?.(decision.key, decision.cause);
  if (!why) return decision;
  return { key: decision.key, ...why, ...("fields" in decision ? { fields: decision.fields } : {}) };
}

/** A spec that failed is not sent again; where it is there all the same it stays only if it turned out well. */
function whenHeld(
  job: DesiredJob,
  live: LiveJob | undefined,
  decision: Decision,
  input: PlanInput,
): Decision {
  const earlier = input.fallback?.get(job.key);
  const failing = decision === "unchanged" && live !== undefined && !isWell(live.observed);
  if (!sends(decision) && !(failing && earlier)) return decision;
  if (!earlier)
    return verdict(
      job,
      "HeldAfterFailure",
      "this spec failed before; change it in Git, or run `sluice sync --retry`",
    );
  const back = decideUnheld(earlier, live, input);
  if (back === "unchanged")
    return verdict(job, "RolledBack", "this spec failed; the last healthy one runs in its place");
  return sends(back) && back.kind !== "prune" ? { ...back, cause: "rollback" } : back;
}

function decideUnheld(job: DesiredJob, live: LiveJob | undefined, input: PlanInput): Decision {
  const entry = input.inventory.get(job.key);
  if (!live) return whenMissing(job, entry, input);
  if (live.owner !== input.mark) return whenForeign(job, live, input);
  return whenOurs(job, live, entry, input);
}

function whenMissing(job: DesiredJob, entry: InventoryEntry | undefined, input: PlanInput): Decision {
  const drifted = entry?.fingerprint === job.fingerprint;
  if (drifted && !input.heal(job.key))
    return verdict(job, "Missing", "somebody removed the job from the scheduler");
  return { kind: "create", key: job.key, cause: drifted ? "drift" : "revision", desired: job };
}

function whenForeign(job: DesiredJob, live: LiveJob, input: PlanInput): Decision {
  if (!job.options.adopt) {
    const whose =
      live.owner === undefined
        ? "bears no mark of Sluice"
        : "belongs to another Sluice engine or environment";
    return verdict(
      job,
      "NotOwned",
      `a job of this id exists and ${whose}; set sluice.adopt: true to take it over`,
    );
  }
  const fields = input.compare(job.target, job.spec, live.spec, job.options.ignore);
  return { kind: "update", key: job.key, cause: "adopt", desired: job, live, fields };
}

function whenOurs(
  job: DesiredJob,
  live: LiveJob,
  entry: InventoryEntry | undefined,
  input: PlanInput,
): Decision {
  const sameSpec = entry?.fingerprint === job.fingerprint;
  if (sameSpec && entry.version === live.version) return "unchanged";
  const fields = input.compare(job.target, job.spec, live.spec, job.options.ignore);
  if (fields.length === 0) return "unchanged";
  if (sameSpec && !input.heal(job.key))
    return verdict(job, "Drifted", "somebody changed the job in the scheduler", fields);
  return { kind: "update", key: job.key, cause: sameSpec ? "drift" : "revision", desired: job, live, fields };
}

function verdict(
  job: DesiredJob,
  reason: Verdict["reason"],
  message: string,
  fields?: readonly FieldChange[],
): Verdict {
  return { key: job.key, reason, message, ...(fields ? { fields } : {}) };
}
