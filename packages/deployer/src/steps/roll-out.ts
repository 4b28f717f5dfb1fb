import { isWell, type JobId, jobKey, OK, type Outcome, type Revision, type TargetName } from "@sluice/core";
import { result } from "../observation.ts";
import { announce } from "../rollout/announce.ts";
import { runGraph } from "../rollout/graph.ts";
import { type JobNode, liveOf, nodesOf } from "../rollout/node.ts";
import { rollout } from "../rollout/rollout.ts";
import { known, type Pass } from "../term.ts";

/** So many jobs' records are about one transaction. */
const MOST_TOLD_FIRST = 30;

/** Writes and waits. Cut short, it finishes what is being sent and leaves the rest to the next pass. */
export async function rollOut(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const nodes = nodesOf(pass);
  pass.term.retry = false;
  if (nodes.length === 0) return OK;
  const many = nodes.length > MOST_TOLD_FIRST;
  for (const node of nodes) announce(node, pass, many);
  const stop = new AbortController();
  const ending = AbortSignal.any([signal, stop.signal]);
  const running = rollout(pass, ending, awaitedAmong(nodes));
  const keys = new Set(nodes.map((node) => node.key));
  pass.term.hints.listener = (target: TargetName, id: JobId | undefined) => {
    running.poke(target);
    return id !== undefined && keys.has(jobKey(target, id));
  };
  const objections = new Map<TargetName, string | undefined>();
  let broken: { error: unknown } | undefined;
  try {
    const unfinished = await runGraph(nodes, {
      run: running.run,
      blocked: (node, why) => block(node, why, pass),
      objection: (key) => objectionTo(key, pass),
      targetObjection(target) {
        // Asked for every job of a target that waits; what is not being rolled out does not change meanwhile.
        if (!objections.has(target)) objections.set(target, targetObjection(target, pass, keys));
        return objections.get(target);
      },
      broke(error) {
        broken ??= { error };
        stop.abort();
      },
    });
    for (const { key } of unfinished) pass.unfinished.add(key);
  } finally {
    pass.term.hints.listener = undefined;
  }
  if (broken) throw broken.error;
  signal.throwIfAborted();
  return OK;
}

/** Whether a job, or all jobs of its target, must be healthy before another may begin. */
function awaitedAmong(nodes: readonly JobNode[]): (node: JobNode) => boolean {
  const keys = new Set(nodes.flatMap((node) => node.dependsOn));
  const targets = new Set(nodes.flatMap((node) => node.afterTargets));
  return ({ key, target }) => keys.has(key) || targets.has(target);
}

function block({ job, key }: JobNode, why: string, pass: Pass): void {
  const records = known(pass.term.records, "records");
  const health = liveOf(job, pass)?.observed.health ?? "Missing";
  const { failed } = records.statuses.get(key) ?? {};
  const found = { sync: "OutOfSync", health, reason: "DependencyNotReady", message: why } as const;
  records.settle({ ...result(job, revisionOf(pass), found), failed });
}

/** A job that is not being rolled out is ready as it is now: known to its scheduler, as Git says, and well. */
function objectionTo(key: JobNode["key"], pass: Pass): string | undefined {
  const job = known(pass.term.tree, "revision").desired.jobs.get(key);
  if (!job) return `${key} has a problem in its file`;
  if (pass.unlisted.has(job.target))
    return `${key} cannot be asked for: its target ${job.target} does not answer`;
  const refused = pass.plan.refused.find((one) => one.key === key);
  if (refused && refused.reason !== "Drifted" && refused.reason !== "Suspended")
    return `${key}: ${refused.message}`;
  const live = liveOf(job, pass);
  if (!live) return `${key} does not run`;
  return isWell(live.observed) ? undefined : `${key} is ${live.observed.health}: ${live.observed.message}`;
}

/** Jobs of the target that this revision changed and that did not turn healthy, in this pass or an earlier one. */
function targetObjection(
  target: TargetName,
  pass: Pass,
  inRollout: ReadonlySet<JobNode["key"]>,
): string | undefined {
  if (pass.unlisted.has(target)) return `the target ${target} does not answer`;
  const revision = revisionOf(pass);
  const { desired } = known(pass.term.tree, "revision");
  for (const status of known(pass.term.records, "records").statuses.values()) {
    const ours = desired.jobs.get(status.key)?.target === target && !inRollout.has(status.key);
    if (ours && status.attempted === revision && status.applied !== revision && status.reason !== "Suspended")
      return `${status.key} of the target ${target} is not healthy: ${status.message}`;
  }
  return undefined;
}

function revisionOf(pass: Pass): Revision {
  return known(pass.term.tree, "revision").marker.revision;
}
