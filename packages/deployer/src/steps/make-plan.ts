import {
  type Change,
  type ChangeSummary,
  type Fingerprint,
  type JobKey,
  maskField,
  OK,
  type Outcome,
} from "@sluice/core";
import { beginDeployment } from "../deployment.ts";
import { settleLeftAlone } from "../left-alone/left-alone.ts";
import { result } from "../observation.ts";
import { heldSpecs, planAll } from "../planning.ts";
import { liveOf } from "../rollout/node.ts";
import { elapsed, known, type Pass } from "../term.ts";

/** An event carries this many changes at the most; `total` says how many there are. */
const MOST_LISTED = 200;

/** Decides what is to be done, and settles every job that this pass is not going to touch. */
export function makePlan(pass: Pass): Outcome {
  const { term } = pass;
  const { revision } = known(term.tree, "revision").marker;
  const fresh = beginDeployment(pass, revision);
  noteWishes(pass);
  const held = heldSpecs(pass);
  holdRolledBack(pass, held);
  pass.plan = planAll(pass, held);
  const { changes } = pass.plan;
  if (fresh)
    term.emit({
      type: "deployment.planned",
      revision,
      changes: changes.slice(0, MOST_LISTED).map(summaryOf),
      total: changes.length,
    });
  settleLeftAlone(pass);
  return OK;
}

/** What the inventory must know of a job however it does: where its file is, and whether it may be removed. */
function noteWishes({ term, scope }: Pass): void {
  const records = known(term.records, "records");
  const { desired } = known(term.tree, "revision");
  for (const key of scope) {
    const job = desired.jobs.get(key);
    const entry = records.inventory.get(key);
    if (!job || !entry || (entry.file === job.file && entry.prune === job.options.prune)) continue;
    records.record({ ...entry, file: job.file, prune: job.options.prune });
  }
}

/** What a change may show: fields masked, specs left out. */
export function summaryOf(change: Change): ChangeSummary {
  const fields = change.kind === "update" ? change.fields.map(maskField) : [];
  const cause = change.kind === "prune" ? {} : { cause: change.cause };
  return { kind: change.kind, key: change.key, fields, ...cause };
}

/**
 * A scheduler that put the previous spec back by itself looks like drift. The spec that it undid is held instead, also where
 * that happened while no engine was looking.
 */
function holdRolledBack(pass: Pass, held: Map<JobKey, Fingerprint>): void {
  const { term } = pass;
  const records = known(term.records, "records");
  const tree = known(term.tree, "revision");
  for (const key of pass.scope) {
    const job = tree.desired.jobs.get(key);
    const live = job && liveOf(job, pass);
    if (!job || !live?.observed.rolledBack || live.owner !== term.options.mark || term.retry) continue;
    if (records.inventory.get(key)?.fingerprint !== job.fingerprint || held.has(key)) continue;
    held.set(key, job.fingerprint);
    const { health, message } = live.observed;
    const found = { sync: "OutOfSync", health, reason: "RolledBack", message, failed: true } as const;
    records.settle(result(job, tree.marker.revision, found), elapsed(term));
  }
}
