import {
  backoffMs,
  isSluiceError,
  type JobId,
  type LiveJob,
  type LiveListing,
  OK,
  type Outcome,
  type Scheduler,
  type TargetName,
} from "@sluice/core";
import { withoutOldRollbacks } from "../old-rollback.ts";
import { idsInScope, takeScope } from "../scope.ts";
import type { Pass, Term } from "../term.ts";
import { failureText } from "../text.ts";

/** However many other things wake a pass, a target that does not answer is not asked more often than this. */
const TARGET_RETRY = { firstMs: 500, mostMs: 30_000 };

/** Asks every target that has something in question. One that does not answer is left out of the pass; the others go on. */
export async function listLive(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  takeScope(pass);
  const { term } = pass;
  const { mark, targets } = term.options;
  const ids = idsInScope(pass);
  await Promise.all(
    [...targets].map(async ([target, { scheduler }]) => {
      const asked = ids.get(target) ?? new Set();
      const whole = pass.whole.has(target);
      if (!whole && asked.size === 0) return;
      const failing = term.failing.get(target);
      if (failing && term.options.clock.now() < failing.notBefore) {
        pass.unlisted.set(target, failing.error);
        return;
      }
      try {
        const list = whole ? listWhole : listSome;
        pass.live.set(target, await list(withoutOldRollbacks(scheduler, target, term), asked, mark, signal));
        noteAnswer(term, target);
      } catch (error) {
        signal.throwIfAborted();
        pass.unlisted.set(target, error);
        noteFailure(term, target, error);
      }
    }),
  );
  return OK;
}

type Listing = (
  scheduler: Pick<Scheduler, "list">,
  asked: ReadonlySet<JobId>,
  mark: string,
  signal: AbortSignal,
) => Promise<LiveListing>;

const listSome: Listing = async (scheduler, asked, _mark, signal) => {
  const jobs = byId(await scheduler.list({ ids: [...asked] }, signal));
  return { jobs, covers: (id) => asked.has(id) };
};

/** All that bears our mark; and of the rest in question, whether it is there without it. */
const listWhole: Listing = async (scheduler, asked, mark, signal) => {
  const jobs = byId(await scheduler.list({ mark }, signal));
  const missing = [...asked].filter((id) => !jobs.has(id));
  if (missing.length > 0)
    for (const job of await scheduler.list({ ids: missing }, signal)) jobs.set(job.id, job);
  return { jobs, covers: (id) => asked.has(id) || jobs.has(id) };
};

function byId(jobs: readonly LiveJob[]): Map<JobId, LiveJob> {
  return new Map(jobs.map((job) => [job.id, job]));
}

function noteAnswer({ failing, emit }: Term, target: TargetName): void {
  if (failing.delete(target)) emit({ type: "target.recovered", target });
}

function noteFailure({ failing, emit, options }: Term, target: TargetName, error: unknown): void {
  const old = failing.get(target);
  const now = options.clock.now();
  const times = (old?.times ?? 0) + 1;
  const notBefore = now + backoffMs(times - 1, TARGET_RETRY, options.random);
  failing.set(target, { times, since: old?.since ?? now, notBefore, error });
  if (old) return;
  const code = isSluiceError(error) ? error.code : "INTERNAL";
  emit({ type: "target.failed", target, code, message: failureText(error) });
}
