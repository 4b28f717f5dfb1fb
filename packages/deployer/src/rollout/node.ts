import {
  type Change,
  type DesiredJob,
  type Fingerprint,
  type InventoryEntry,
  isWell,
  type LiveJob,
  shortRevision,
} from "@sluice/core";
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
  /** Where `job` holds an earlier spec because Git's own failed: that one, and what to say of it. */
  readonly undo: Undo | undefined;
}

export interface Undo {
  readonly failed: Fingerprint;
  readonly message: string;
}

/** Everything this pass rolls out: what is to be written, and what an earlier pass wrote and did not see healthy. */
export function nodesOf(pass: Pass): JobNode[] {
  const tree = known(pass.term.tree, "revision");
  const nodes: JobNode[] = [];
  for (const change of pass.plan.changes)
    if (change.kind !== "prune") nodes.push(nodeFor(change.desired, change));
  for (const key of pass.plan.unchanged) {
    const job = tree.desired.jobs.get(key);
    if (job && isUnderWay(job, pass)) nodes.push(waitingNode(job));
  }
  return nodes;

  function nodeFor(job: DesiredJob, change: Write): JobNode {
    if (change.cause === "rollback") return undoNode(change, pass);
    const { key, target } = job;
    const afterTargets = tree.policy.get(target)?.dependsOn ?? [];
    return { key, target, job, change, dependsOn: job.options.dependsOn, afterTargets, undo: undefined };
  }
}

/** What was sent already waits for nobody but itself. */
function waitingNode(job: DesiredJob): JobNode {
  const { key, target } = job;
  return { key, target, job, change: undefined, dependsOn: [], afterTargets: [], undo: undefined };
}

/** Going back waits for nobody: the spec that failed is what runs meanwhile. */
export function undoNode(change: Write, pass: Pass): JobNode {
  const { key, desired: job } = change;
  const { statuses, inventory } = known(pass.term.records, "records");
  const old = statuses.get(key);
  const wanted = known(pass.term.tree, "revision").desired.jobs.get(key);
  const failed = old?.failed ?? wanted?.fingerprint ?? job.fingerprint;
  const from = inventory.get(key)?.lastHealthy?.revision;
  const place = `the last healthy spec${from ? `, of ${shortRevision(from)},` : ""} takes its place`;
  const message = old?.reason === "RolledBack" ? old.message : `${old?.message ?? "it failed"}; ${place}`;
  const node = { key, target: job.target, job, change, dependsOn: [], afterTargets: [] };
  return { ...node, undo: { failed, message } };
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
