import {
  AGAIN,
  type Change,
  isSluiceError,
  type JobKey,
  type JobResult,
  type JobStatus,
  jobKey,
  OK,
  type Outcome,
  type Reason,
  type Revision,
  splitJobKey,
  type TargetName,
} from "@sluice/core";
import PQueue from "p-queue";
import { leave } from "../left-alone/leave.ts";
import { DEFAULT_CONCURRENCY } from "../options.ts";
import { writeProof } from "../rollout/proof.ts";
import { elapsed, known, type Pass } from "../term.ts";
import { failureText } from "../text.ts";

type Prune = Extract<Change, { kind: "prune" }>;

/** Removes what Git no longer names, target by target, once nothing new there may still turn out not to work. */
export async function pruneRemoved(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const prunes = pass.plan.changes.filter((change) => change.kind === "prune");
  if (prunes.length === 0) return OK;
  const targets = new Set(prunes.map(({ key }) => splitJobKey(key).target));
  const reasons = new Map([...targets].map((target) => [target, reasonToWait(target, pass)]));
  const ready = prunes.filter((prune) => isReady(prune, reasons, pass));
  if (ready.length === 0) return OK;
  // A job may have come back in a revision that is newer than what was planned from.
  const marker = await pass.term.options.kv.get(pass.term.layout.revision, signal);
  if (marker?.modifyIndex !== pass.seen?.markerIndex) return AGAIN;
  for (const target of new Set(ready.map(({ key }) => splitJobKey(key).target)))
    await removeAll(
      target,
      ready.filter(({ key }) => splitJobKey(key).target === target),
      pass,
      signal,
    );
  return OK;
}

function isReady(
  { key, live, entry }: Prune,
  reasons: ReadonlyMap<TargetName, string | undefined>,
  pass: Pass,
): boolean {
  const why = reasons.get(splitJobKey(key).target) ?? reasonElsewhere(key, pass);
  if (why === undefined) return true;
  const message = `is removed once its replacements are healthy: ${why}`;
  leave(
    key,
    entry.file,
    { sync: "OutOfSync", health: live.observed.health, reason: "Pending", message },
    pass,
  );
  return false;
}

/** Reasons at which a new job of the target may yet turn out not to work, so that what it replaces must stay. */
const UNPROVEN: ReadonlySet<Reason> = new Set<Reason>([
  "Pending",
  "Progressing",
  "OutsideWindow",
  "DependencyNotReady",
  "Conflict",
  "Locked",
  "Refused",
  "Denied",
  "Unreachable",
  "HealthTimeout",
  "RolledBack",
  "HeldAfterFailure",
]);

/** A job of the target that this revision changed, or that never was healthy, and is not healthy now. */
function reasonToWait(target: TargetName, pass: Pass): string | undefined {
  const { desired, marker } = known(pass.term.tree, "revision");
  for (const status of known(pass.term.records, "records").statuses.values()) {
    if (desired.jobs.get(status.key)?.target !== target) continue;
    if (isUnproven(status, marker.revision)) return `${status.key} is not`;
  }
  return undefined;
}

function isUnproven({ reason, applied, attempted }: JobStatus, revision: Revision): boolean {
  return UNPROVEN.has(reason) && (applied === undefined || attempted === revision);
}

/** A job of the same id in another target: the job may have moved there, and then it must run there first. */
function reasonElsewhere(key: JobKey, pass: Pass): string | undefined {
  const { policy, marker, desired } = known(pass.term.tree, "revision");
  const { statuses } = known(pass.term.records, "records");
  const { target, id } = splitJobKey(key);
  for (const other of policy.keys()) {
    const elsewhere = jobKey(other, id);
    const status = other !== target && desired.jobs.has(elsewhere) ? statuses.get(elsewhere) : undefined;
    if (status && isUnproven(status, marker.revision)) return `${status.key} is not`;
  }
  return undefined;
}

/** A scheduler may refuse to remove a job that another one hangs on: what is refused is tried again after the rest. */
async function removeAll(
  target: TargetName,
  prunes: readonly Prune[],
  pass: Pass,
  signal: AbortSignal,
): Promise<void> {
  let left = prunes;
  for (let before = Number.POSITIVE_INFINITY; left.length > 0 && left.length < before; ) {
    before = left.length;
    left = await removeOnce(target, left, pass, signal);
  }
  for (const prune of left)
    settleKept(prune, "Conflict", "the scheduler says something else depends on it", pass);
}

/** @returns those the scheduler refused for now. */
async function removeOnce(
  target: TargetName,
  prunes: readonly Prune[],
  pass: Pass,
  signal: AbortSignal,
): Promise<Prune[]> {
  const { options, writer, leading } = pass.term;
  const { scheduler, concurrency } = known(options.targets.get(target), `target ${target}`);
  const queue = new PQueue({ concurrency: concurrency ?? DEFAULT_CONCURRENCY });
  const conflicting: Prune[] = [];
  async function removeOne(prune: Prune) {
    signal.throwIfAborted();
    await writer.prove();
    const { proof, throwIfUnproven } = writeProof(writer);
    try {
      await scheduler.remove({ id: splitJobKey(prune.key).id, mark: options.mark, proof }, leading);
      noteRemoved(prune.key, pass);
    } catch (error) {
      leading.throwIfAborted();
      throwIfUnproven();
      if (isSluiceError(error, "SCHEDULER_CONFLICT")) conflicting.push(prune);
      else settleKept(prune, reasonFor(error), failureText(error), pass);
    }
  }
  const ends = await Promise.allSettled(prunes.map((prune) => queue.add(() => removeOne(prune))));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return conflicting;
}

function noteRemoved(key: JobKey, { term }: Pass): void {
  const { revision } = known(term.tree, "revision").marker;
  const records = known(term.records, "records");
  const owner = records.statuses.get(key)?.owner;
  if (term.deployment) {
    const { counts } = term.deployment;
    term.deployment = { ...term.deployment, counts: { ...counts, pruned: counts.pruned + 1 } };
  }
  records.forget(key, () => term.emit({ type: "job.pruned", key, revision, ...(owner ? { owner } : {}) }));
}

function reasonFor(error: unknown): Reason {
  if (isSluiceError(error, "SCHEDULER_LOCKED")) return "Locked";
  if (isSluiceError(error, "SCHEDULER_DENIED")) return "Denied";
  if (isSluiceError(error, "SCHEDULER_INVALID")) return "Refused";
  return "Unreachable";
}

function settleKept({ key, entry, live }: Prune, reason: Reason, message: string, { term }: Pass): void {
  const { revision } = known(term.tree, "revision").marker;
  const found: JobResult = {
    key,
    file: entry.file,
    revision,
    sync: "OutOfSync",
    health: live.observed.health,
    reason,
    message,
  };
  known(term.records, "records").settle(found, elapsed(term));
}
