import type { Fingerprint, JobStatus, Reason, Revision } from "@sluice/core";
import { entryOf } from "../records/entry.ts";
import { known, type Pass } from "../term.ts";
import type { JobNode } from "./node.ts";
import { nodeResult } from "./node-result.ts";

/** The fingerprint of an entry whose spec was not sent yet; no spec has it. */
const NOTHING_SENT = "" as Fingerprint;

/**
 * Says what is about to be done, in one go with the inventory entry of a job that is not in it yet. That entry must be there
 * before the job is: an engine that dies between the two would otherwise leave a job nobody ever removes. It names no spec,
 * so that whoever takes over does not mistake the job for one that was sent and then removed by hand; and a job that was
 * never made, or is not ours, is never removed on the word of an entry alone.
 * @param many of many jobs, most are sent before their turn to be told of comes: then the entry alone is there before.
 */
export function announce(node: JobNode, pass: Pass, many: boolean): void {
  const { key, job, change } = node;
  if (!change) return;
  const records = known(pass.term.records, "records");
  const { revision } = known(pass.term.tree, "revision").marker;
  const entry = records.inventory.get(key);
  if (!entry) {
    const fresh = entryOf(job, undefined, { version: undefined, revision });
    records.record({ ...fresh, fingerprint: NOTHING_SENT });
  }
  if (isTriedAgain(known(pass.term.records, "records").statuses.get(key), revision)) return;
  const health = change.kind === "update" ? change.live.observed.health : "Missing";
  const drifted = change.cause === "drift";
  const taken = "waits to be taken over: Sluice did not make this job";
  const waits = change.cause === "adopt" ? taken : "waits for its turn";
  const say = many ? records.settlePatiently : records.settle;
  say(
    nodeResult(node, revision, {
      sync: "OutOfSync",
      health,
      reason: drifted ? (change.kind === "create" ? "Missing" : "Drifted") : "Pending",
      message: drifted ? "changed in the scheduler; being put right" : waits,
    }),
  );
}

const TRIED_AGAIN: ReadonlySet<Reason> = new Set<Reason>([
  "Conflict",
  "Locked",
  "Unreachable",
  "Denied",
  "DependencyNotReady",
]);

/** What kept a job from being sent says more than that it waits, and is no news at every attempt. */
function isTriedAgain(status: JobStatus | undefined, revision: Revision): boolean {
  return status !== undefined && status.attempted === revision && TRIED_AGAIN.has(status.reason);
}
