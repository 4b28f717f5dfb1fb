import {
  type Health,
  isSluiceError,
  type JobId,
  type LiveJob,
  type Reason,
  type SyncStatus,
} from "@sluice/core";
import { planOne } from "../planning.ts";
import { known, type Pass } from "../term.ts";
import { failureText } from "../text.ts";
import type { JobNode, Write } from "./node.ts";
import { writeProof } from "./proof.ts";
import { refusalText } from "./refusal-text.ts";

/** What sending a job came to. */
export type Sent =
  /** The scheduler holds the spec. `version` as it answered; undefined where it was found there already. */
  | { readonly kind: "sent"; readonly version: string | undefined; readonly write: Write }
  | {
      readonly kind: "not-sent";
      readonly sync: SyncStatus;
      readonly health: Health;
      readonly reason: Reason;
      readonly message: string;
      /** True: this spec is not to be sent again by itself. */
      readonly failed: boolean;
    };

type NotSent = Extract<Sent, { kind: "not-sent" }>;

const MOST_ATTEMPTS = 3;

/**
 * Sends a write, compare-and-set. Where the job moved meanwhile, or where the answer was lost so that the write may or may not
 * have been made, the job is read and planned again rather than sent again blindly.
 */
export async function send(pass: Pass, node: JobNode, first: Write): Promise<Sent> {
  const { options, leading } = pass.term;
  const { scheduler } = known(options.targets.get(node.target), `target ${node.target}`);
  let write = first;
  const { proof, throwIfUnproven } = writeProof(pass.term.writer);
  for (let attempt = 1; ; attempt++) {
    try {
      const { version } = await scheduler.apply({ ...requestFor(write, options.mark), proof }, leading);
      return { kind: "sent", version, write };
    } catch (error) {
      leading.throwIfAborted();
      throwIfUnproven();
      const unclear = isSluiceError(error, "SCHEDULER_CONFLICT", "SCHEDULER_UNREACHABLE");
      if (!unclear) return failure(error, write, await refusalText(pass, node, error));
      const next = await decideAgain(pass, node, error, write);
      if (next.kind === "sent" || next.kind === "not-sent") return next;
      if (attempt >= MOST_ATTEMPTS) return failure(error, next);
      // The answer may have been long in coming: whoever leads by now is to decide.
      await pass.term.writer.prove();
      write = next;
    }
  }
}

function requestFor(write: Write, mark: string) {
  const { id, spec, options } = write.desired;
  return { id, spec, mark, live: write.kind === "update" ? write.live : undefined, ignore: options.ignore };
}

async function decideAgain(pass: Pass, node: JobNode, error: unknown, write: Write): Promise<Sent | Write> {
  const { options, leading } = pass.term;
  const { id, key, target } = node.job;
  let jobs: ReadonlyMap<JobId, LiveJob>;
  try {
    const { scheduler } = known(options.targets.get(target), `target ${target}`);
    jobs = new Map((await scheduler.list({ ids: [id] }, leading)).map((job) => [job.id, job]));
  } catch {
    leading.throwIfAborted();
    return failure(error, write);
  }
  const live = new Map([[target, { jobs, covers: (asked: JobId) => asked === id }]]);
  const plan = planOne(pass, key, live, node.undo?.failed);
  if (plan.unchanged.length > 0) return { kind: "sent", version: undefined, write };
  const change = plan.changes.find((one): one is Write => one.kind !== "prune" && one.key === key);
  if (change) return change;
  const verdict = plan.refused.find((one) => one.key === key);
  const health = jobs.get(id)?.observed.health ?? "Missing";
  if (!verdict) return failure(error, write);
  if (node.undo && verdict.reason === "RolledBack") return { kind: "sent", version: undefined, write };
  return {
    kind: "not-sent",
    sync: "OutOfSync",
    health,
    reason: verdict.reason,
    message: verdict.message,
    failed: false,
  };
}

function failure(error: unknown, write: Write, message = failureText(error)): NotSent {
  const health = write.kind === "update" ? write.live.observed.health : "Missing";
  const known = { kind: "not-sent", sync: "OutOfSync", health, message, failed: false } as const;
  if (isSluiceError(error, "SCHEDULER_CONFLICT")) return { ...known, reason: "Conflict" };
  if (isSluiceError(error, "SCHEDULER_LOCKED")) return { ...known, reason: "Locked" };
  if (isSluiceError(error, "SCHEDULER_DENIED")) return { ...known, reason: "Denied" };
  if (isSluiceError(error, "SCHEDULER_INVALID", "JOB_INVALID"))
    return { ...known, reason: "Refused", failed: true };
  // Whatever else is thrown is transient by the port's contract, and leaves open what happened.
  return { ...known, sync: "Unknown", health: "Unknown", reason: "Unreachable" };
}
