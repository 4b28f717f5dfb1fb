import type { LiveJob, TargetName } from "@sluice/core";
import PQueue from "p-queue";
import { putDeployment } from "../deployment.ts";
import { healedAgain } from "../gates/heal-row.ts";
import { withoutOldRollbacks } from "../old-rollback.ts";
import { DEFAULT_CONCURRENCY } from "../options.ts";
import { entryOf } from "../records/entry.ts";
import type { JobRecords } from "../records/job-records.ts";
import { elapsed, known, type Pass, type Term } from "../term.ts";
import { announce } from "./announce.ts";
import { goingBack } from "./go-back.ts";
import type { Ending } from "./graph.ts";
import { type HealthWait, healthWait, type Waited } from "./health-wait.ts";
import { lost } from "./lost.ts";
import { type JobNode, type Write, waitMsOf } from "./node.ts";
import { nodeResult } from "./node-result.ts";
import { send } from "./send.ts";
import { countSent, finishedEntry } from "./sent.ts";

/** One target's part of a rollout. */
interface Lane {
  readonly queue: PQueue;
  readonly health: HealthWait;
}

export interface Rollout {
  /** Sends a job, if it is to be sent, and waits until it is healthy or is not going to be. */
  run(node: JobNode): Promise<Ending>;
  /** A hint from the target's scheduler. */
  poke(target: TargetName): void;
}

/**
 * @param ending cuts the rollout short: what is being sent is finished, nothing more is begun.
 * @param awaited whether other jobs of this rollout wait for one.
 */
export function rollout(pass: Pass, ending: AbortSignal, awaited: (node: JobNode) => boolean): Rollout {
  const { term } = pass;
  const records = known(term.records, "records");
  const revision = known(term.tree, "revision").marker.revision;
  const lanes = new Map<TargetName, Lane>();
  let sending = 0;

  function mayYield(): boolean {
    return sending === 0 && hasNews(pass);
  }

  function laneOf(target: TargetName): Lane {
    const lane = lanes.get(target) ?? openLane(term, target, ending, mayYield);
    lanes.set(target, lane);
    return lane;
  }

  async function run(node: JobNode): Promise<Ending> {
    const lane = laneOf(node.target);
    let version: string | undefined;
    if (node.change) {
      const { change } = node;
      sending += 1;
      const sent = await lane.queue
        .add(() => sendOne(node, change))
        .finally(() => {
          sending -= 1;
        });
      if (!isBusy(lane.queue)) lane.health.calm();
      if (sent === undefined || typeof sent === "string") return sent ?? "unfinished";
      version = sent.version;
    }
    const deadline = deadlineOf(node, records, term);
    const waited = await lane.health.join(node.job.id, {
      deadline,
      awaited: awaited(node),
      onLook: (live) => noteProgress(node, live),
    });
    return settleWaited(node, waited, version);
  }

  async function sendOne(node: JobNode, change: Write) {
    if (ending.aborted) return "unfinished";
    await records.written(node.key);
    await term.writer.prove();
    if (ending.aborted) return "unfinished";
    const sent = await send(pass, node, change);
    if (sent.kind === "not-sent") {
      records.settle(nodeResult(node, revision, sent), elapsed(term));
      if (sent.failed && node.undo) forgetHealthy(node);
      return "failed";
    }
    noteSent(node, sent.write);
    return waitMsOf(node.job, term) === 0 ? "healthy" : { version: sent.version };
  }

  /** A spec that the scheduler does not take any more is no spec to go back to. */
  function forgetHealthy({ key }: JobNode) {
    const { lastHealthy: _, ...entry } = known(records.inventory.get(key), `entry of ${key}`);
    records.record(entry);
  }

  function noteSent(node: JobNode, { kind, cause, ...write }: Write) {
    const { key, job } = node;
    const adopted = cause === "adopt";
    const entry = records.inventory.get(key);
    const healed = cause === "drift" ? healedAgain(entry?.healed, term.options.clock.now()) : undefined;
    records.record(entryOf(job, entry, { version: undefined, revision, adopted, healed }));
    const message = "the scheduler took the job and is starting it";
    const found = { sync: "Synced", health: "Progressing", reason: "Progressing", message } as const;
    records.settle({ ...nodeResult(node, revision, found), ...(adopted ? { adopted: revision } : {}) });
    term.emit({ type: "job.applied", key, revision, kind, cause });
    if (adopted && "live" in write) {
      const from = write.live.owner === undefined ? "nobody" : "another engine";
      const { owner } = job.options;
      term.emit({ type: "job.adopted", key, revision, from, ...(owner ? { owner } : {}) });
    }
    countSent(term, kind);
    putDeployment(term);
  }

  function noteProgress(node: JobNode, live: LiveJob) {
    const { health, message } = live.observed;
    if (records.statuses.get(node.key)?.reason !== "Progressing") return;
    records.settle(
      nodeResult(node, revision, {
        sync: "Synced",
        health: health === "Degraded" ? health : "Progressing",
        reason: "Progressing",
        message,
      }),
    );
  }

  async function settleWaited(node: JobNode, waited: Waited, version: string | undefined): Promise<Ending> {
    if (waited.kind === "unfinished") return "unfinished";
    if (waited.kind === "well") {
      const { health, message } = waited.live.observed;
      records.record(finishedEntry(pass, node, waited.live, version, revision));
      const found = { sync: "Synced", health, reason: "Applied", message } as const;
      records.settle(nodeResult(node, revision, found), elapsed(term));
      putDeployment(term);
      return node.undo ? "failed" : "healthy";
    }
    const found = lost(waited);
    records.settle(nodeResult(node, revision, found), elapsed(term));
    putDeployment(term);
    return found.failed && !ending.aborted ? await goBack(node) : "failed";
  }

  async function goBack(node: JobNode): Promise<Ending> {
    const back = await goingBack(pass, node);
    if (!back) return "failed";
    announce(back, pass, false);
    return await run(back);
  }

  return { run, poke: (target) => lanes.get(target)?.health.poke() };
}

function openLane(term: Term, target: TargetName, ending: AbortSignal, mayYield: () => boolean): Lane {
  const { scheduler, concurrency } = known(term.options.targets.get(target), `target ${target}`);
  const queue = new PQueue({ concurrency: concurrency ?? DEFAULT_CONCURRENCY });
  const { clock } = term.options;
  const health = healthWait({
    scheduler: withoutOldRollbacks(scheduler, target, term),
    clock,
    ending,
    mayYield,
    busy: () => isBusy(queue),
  });
  return { queue, health };
}

function isBusy({ size, pending }: PQueue): boolean {
  return size + pending > 0;
}

const PATIENCE_MS = 1_000;

/** Nothing but waiting is left to do here, and something else wants to be looked at. */
function hasNews({ term, startedAt }: Pass): boolean {
  const now = term.options.clock.now();
  return now >= term.wholeAt || (term.hints.waiting() && now - startedAt >= PATIENCE_MS);
}

/** Counted from when the scheduler took the spec, also by an engine that took over since. */
function deadlineOf(node: JobNode, records: JobRecords, term: Term): number {
  const status = records.statuses.get(node.key);
  const since = status?.reason === "Progressing" ? Date.parse(status.since) : term.options.clock.now();
  return since + waitMsOf(node.job, term);
}
