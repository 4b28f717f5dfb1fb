import { AGAIN, backoffMs, type JobKey, OK, type Outcome, type Reason, wait } from "@sluice/core";
import { updateDeployment } from "../deployment.ts";
import { DEFAULT_DRIFT_INTERVAL_MS } from "../options.ts";
import { known, type Pass, type Term } from "../term.ts";

/** Reasons that may pass by themselves: the job is looked at again before the next round. */
const RETRIED: ReadonlySet<Reason> = new Set<Reason>([
  "Progressing",
  "Conflict",
  "Locked",
  "Unreachable",
  "Denied",
  "OutsideWindow",
]);

const RETRY = { firstMs: 500, mostMs: 30_000 };
/** The loop's own interval is jittered by a tenth, and must find a whole round due when it wakes. */
const ROUND_SHARE = 0.85;

/** Writes how the deployment stands, and decides when to look again. Only here is what was looked at taken off the list. */
export async function conclude(pass: Pass): Promise<Outcome> {
  const { term } = pass;
  updateDeployment(pass);
  await term.writer.flush();
  for (const key of pass.scope) term.dirty.delete(key);
  for (const key of pass.unfinished) term.dirty.add(key);
  for (const target of pass.whole) if (!pass.unlisted.has(target)) term.whole.delete(target);
  const { clock, driftIntervalMs = DEFAULT_DRIFT_INTERVAL_MS } = term.options;
  if (pass.whole.size === term.options.targets.size)
    term.wholeAt = clock.now() + driftIntervalMs * ROUND_SHARE;
  return pass.unfinished.size > 0 ? AGAIN : nextLook(pass);
}

function nextLook({ term }: Pass): Outcome {
  const { clock, random } = term.options;
  const restless = restlessJobs(term);
  for (const key of term.tries.keys()) if (!restless.has(key)) term.tries.delete(key);
  let soonest = Number.POSITIVE_INFINITY;
  for (const key of restless.keys()) {
    const tries = term.tries.get(key) ?? 0;
    term.tries.set(key, tries + 1);
    soonest = Math.min(soonest, backoffMs(tries, RETRY, random));
  }
  const now = clock.now();
  for (const { notBefore } of term.failing.values())
    soonest = Math.min(soonest, Math.max(1, notBefore - now));
  for (const at of term.later.values()) soonest = Math.min(soonest, Math.max(1, at - now));
  if (soonest === Number.POSITIVE_INFINITY) return OK;
  const [first] = restless;
  const [reason, message]: [Reason, string] = first
    ? [first[1], `${first[0]} is looked at again`]
    : ["Pending", "something is looked at again"];
  const left = Math.max(0, term.wholeAt - now);
  return wait(reason, message, Math.min(soonest, Math.max(left, RETRY.firstMs)));
}

function restlessJobs(term: Term): Map<JobKey, Reason> {
  const records = known(term.records, "records");
  const found = new Map<JobKey, Reason>();
  for (const key of records.unsettled) {
    const reason = records.statuses.get(key)?.reason;
    if (reason && RETRIED.has(reason)) found.set(key, reason);
  }
  return found;
}
