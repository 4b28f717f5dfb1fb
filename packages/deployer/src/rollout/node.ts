import type { Change, DesiredJob, InventoryEntry, LiveJob } from "@sluice/core";
import { isWell } from "../observation.ts";
import { DEFAULT_WAIT_MS } from "../options.ts";
import { known, type Pass, type Term } from "../term.ts";
import type { Node } from "./graph.ts";

/** A change that is sent to a scheduler. */
export type Write = Exclude<Change, { kind: "prune" }>;

/** A job that is to be sent, or that was sent by an earlier pass and is not healthy yet. */
export interface JobNode extends Node {
  readonly job: DesiredJob;
  /** Undefined: it is only waited for. */
  readonly change: Write | undefined;
}

/** Everything this pass rolls out: what is to be written, and what an earlier pass wrote and did not see healthy. */
export function nodesOf(pass: Pass): JobNode[] {
  const tree = known(pass.term.tree, "revision");
  const nodes: JobNode[] = [];
  for (const change of pass.plan.changes)
    if (change.kind !== "prune") nodes.push(nodeFor(change.desired, change));
  for (const key of pass.plan.unchanged) {
    const job = tree.desired.jobs.get(key);
    if (job && isUnderWay(job, pass)) nodes.push(nodeFor(job, undefined));
  }
  return nodes;

  function nodeFor(job: DesiredJob, change: Write | undefined): JobNode {
    const { key, target } = job;
    // What was sent already waits for nobody but itself.
    if (!change) return { key, target, job, change, dependsOn: [], afterTargets: [] };
    const afterTargets = tree.policy.get(target)?.dependsOn ?? [];
    return { key, target, job, change, dependsOn: job.options.dependsOn, afterTargets };
  }
}

/** True for a spec that was sent and neither turned healthy nor failed yet. */
export function isUnderWay(job: DesiredJob, pass: Pass): boolean {
  const records = known(pass.term.records, "records");
  const live = liveOf(job, pass);
  if (waitMsOf(job, pass.term) === 0) return false;
  if (!live || isWell(live.observed) || isFinished(job, records.inventory.get(job.key))) return false;
  return records.statuses.get(job.key)?.failed !== job.fingerprint;
}

/** How long a job may take to become healthy, in milliseconds; 0: nobody waits. */
export function waitMsOf(job: DesiredJob, { options }: Term): number {
  return job.options.waitMs ?? options.targets.get(job.target)?.waitMs ?? DEFAULT_WAIT_MS;
}

/** True once this very spec was seen healthy. */
export function isFinished(job: DesiredJob, entry: InventoryEntry | undefined): boolean {
  return entry?.fingerprint === job.fingerprint && entry.version !== undefined;
}

export function liveOf(job: Pick<DesiredJob, "target" | "id">, pass: Pass): LiveJob | undefined {
  return pass.live.get(job.target)?.jobs.get(job.id);
}
