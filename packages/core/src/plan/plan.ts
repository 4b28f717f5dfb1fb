import type { Change, Plan, Verdict } from "../model/change.ts";
import type { JobKey } from "../model/ids.ts";
import type { DesiredJob, FieldChange, InventoryEntry, LiveJob } from "../model/job.ts";
import type { PlanInput } from "./plan-input.ts";
import { planPrunes } from "./prune.ts";

type Decision = Change | Verdict | "unchanged";

/** Decides what to do: no I/O, no clock. What diff, dry run, push output, events and the rollout read is this one value. */
export function plan(input: PlanInput): Plan {
  const changes: Change[] = [];
  const refused: Verdict[] = [];
  const unchanged: JobKey[] = [];
  for (const job of inScope(input)) {
    const decision = decide(job, input);
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

/** Undefined: the job's live state is unknown, so nothing is decided. */
function decide(job: DesiredJob, input: PlanInput): Decision | undefined {
  const listing = input.live.get(job.target);
  if (!listing?.covers(job.id)) return undefined;
  if (input.suspended(job.key)) return verdict(job, "Suspended", "suspended by a person");
  const live = listing.jobs.get(job.id);
  const decision = decideUnheld(job, live, input);
  const sends = decision !== "unchanged" && "kind" in decision;
  if (sends && input.held.get(job.key) === job.fingerprint)
    return verdict(
      job,
      "HeldAfterFailure",
      "this spec failed before; change it in Git, or run `sluice sync --retry`",
    );
  return decision;
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
