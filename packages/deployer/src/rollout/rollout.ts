import type { LiveJob, Revision, TargetName } from "@sluice/core";
import PQueue from "p-queue";
import { putDeployment } from "../deployment.ts";
import { appliedResult, result } from "../observation.ts";
import { DEFAULT_CONCURRENCY } from "../options.ts";
import type { JobRecords } from "../records/job-records.ts";
import { elapsed, known, type Pass, type Term } from "../term.ts";
import type { Ending } from "./graph.ts";
import { type HealthWait, healthWait, type Waited } from "./health-wait.ts";
import { lost } from "./lost.ts";
import { type JobNode, type Write, waitMsOf } from "./node.ts";
import { send } from "./send.ts";

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

/** @param ending cuts the rollout short: what is being sent is finished, nothing more is begun. */
export function rollout(pass: Pass, ending: AbortSignal): Rollout {
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
      if (sent === undefined || typeof sent === "string") return sent ?? "unfinished";
      version = sent.version;
    }
    const deadline = deadlineOf(node, records, term);
    const waited = await lane.health.join(node.job.id, deadline, (live) => noteProgress(node, live));
    return settleWaited(node, waited, version);
  }

  async function sendOne(node: JobNode, change: Write) {
    if (ending.aborted) return "unfinished";
    await records.written(node.key);
    await term.writer.prove();
    if (ending.aborted) return "unfinished";
    const sent = await send(pass, node, change);
    if (sent.kind === "not-sent") {
      records.settle(result(node.job, revision, sent), elapsed(term));
      return "failed";
    }
    noteSent(node.job, sent.write.kind);
    return waitMsOf(node.job, term) === 0 ? "healthy" : { version: sent.version };
  }

  function noteSent(job: JobNode["job"], kind: Write["kind"]) {
    const { key, file, fingerprint } = job;
    records.record({ key, file, fingerprint, version: undefined, revision, prune: job.options.prune });
    const message = "the scheduler took the job and is starting it";
    records.settle(
      result(job, revision, { sync: "Synced", health: "Progressing", reason: "Progressing", message }),
    );
    term.emit({ type: "job.applied", key, revision, kind });
    countSent(term, kind);
    putDeployment(term);
  }

  function noteProgress({ job, key }: JobNode, live: LiveJob) {
    const { health, message } = live.observed;
    if (records.statuses.get(key)?.reason !== "Progressing") return;
    records.settle(
      result(job, revision, {
        sync: "Synced",
        health: health === "Degraded" ? health : "Progressing",
        reason: "Progressing",
        message,
      }),
    );
  }

  function settleWaited(node: JobNode, waited: Waited, version: string | undefined): Ending {
    const { job } = node;
    if (waited.kind === "unfinished") return "unfinished";
    if (waited.kind === "well") {
      records.record(finishedEntry(pass, node, waited.live, version, revision));
      records.settle(appliedResult(job, revision, waited.live.observed), elapsed(term));
    } else records.settle(result(job, revision, lost(waited)), elapsed(term));
    putDeployment(term);
    return waited.kind === "well" ? "healthy" : "failed";
  }

  return { run, poke: (target) => lanes.get(target)?.health.poke() };
}

function openLane(term: Term, target: TargetName, ending: AbortSignal, mayYield: () => boolean): Lane {
  const { scheduler, concurrency } = known(term.options.targets.get(target), `target ${target}`);
  return {
    queue: new PQueue({ concurrency: concurrency ?? DEFAULT_CONCURRENCY }),
    health: healthWait({ scheduler, clock: term.options.clock, ending, mayYield }),
  };
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

/** The live version is taken for the sent spec's own only if nobody wrote in between; otherwise the next round compares. */
function finishedEntry(
  pass: Pass,
  { job }: JobNode,
  live: LiveJob,
  sent: string | undefined,
  revision: Revision,
) {
  const { format } = known(pass.term.options.targets.get(job.target), `target ${job.target}`);
  const ours = live.version === sent || format.compare(job.spec, live.spec, job.options.ignore).length === 0;
  const { key, file, fingerprint } = job;
  return {
    key,
    file,
    fingerprint,
    version: ours ? live.version : undefined,
    revision,
    prune: job.options.prune,
  };
}

function countSent(term: Term, kind: Write["kind"]): void {
  if (!term.deployment) return;
  const { counts } = term.deployment;
  const [created, updated] = kind === "create" ? [1, 0] : [0, 1];
  term.deployment = {
    ...term.deployment,
    counts: { ...counts, created: counts.created + created, updated: counts.updated + updated },
  };
}
