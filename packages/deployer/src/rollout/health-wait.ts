import { type Clock, isWell, type JobId, type LiveJob, type Scheduler } from "@sluice/core";

/** What waiting for a job's health came to. */
export type Waited =
  | { readonly kind: "well"; readonly live: LiveJob }
  /** The scheduler itself gave up. */
  | { readonly kind: "failed"; readonly live: LiveJob }
  /** `live` undefined: it was not there at the last look; `error`: the last look failed. */
  | { readonly kind: "timeout"; readonly live: LiveJob | undefined; readonly error: unknown }
  | { readonly kind: "unfinished" };

export interface HealthWait {
  join(id: JobId, wish: Wish): Promise<Waited>;
  /** Something may have happened: looks again at once, unless more is being sent and nobody waits. */
  poke(): void;
  /** Nothing is being sent any more. */
  calm(): void;
}

export interface Wish {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Other jobs wait for this one, so that it is looked at as soon as it may have turned healthy. */
  readonly awaited: boolean;
  /** Told what each look saw of the job. */
  readonly onLook: (live: LiveJob) => void;
}

export interface HealthWaitOptions {
  readonly scheduler: Pick<Scheduler, "list">;
  readonly clock: Clock;
  /** Lets go of everyone. */
  readonly ending: AbortSignal;
  /** Asked before each look: whether everyone is let go of because there is other work. */
  readonly mayYield: () => boolean;
  /** Whether more jobs of the target are being sent. */
  readonly busy: () => boolean;
}

interface Waiter extends Wish {
  readonly end: (waited: Waited) => void;
}

const FIRST_MS = 50;
const MOST_MS = 2_000;
/** Looks are spaced by this much for every job waited for, so that asking for thousands does not become all that is done. */
const MS_PER_JOB = 0.2;
const FEW_JOBS = 64;
/** While more is being sent, jobs nobody waits for are looked at together: this often, and less often where a look takes long. */
const GATHER_MS = 100;
const MOST_GATHER_MS = 10_000;
const GATHER_SHARE = 10;

/** Waits for all jobs of one target at a time: one question for all of them, asked when the scheduler hints or time passes. */
export function healthWait({ scheduler, clock, ending, mayYield, busy }: HealthWaitOptions): HealthWait {
  const waiters = new Map<JobId, Waiter>();
  let looking = false;
  let napping: AbortController | undefined;
  let poked = false;
  let pause = FIRST_MS;
  let gathering: AbortController | undefined;
  let lookMs = 0;

  function poke() {
    poked = true;
    pause = FIRST_MS;
    napping?.abort();
    if (ending.aborted) calm();
  }

  function calm() {
    gathering?.abort();
  }

  async function gather() {
    if (!busy() || [...waiters.values()].some((one) => one.awaited)) return;
    gathering = new AbortController();
    await clock.sleep(Math.min(MOST_GATHER_MS, Math.max(GATHER_MS, lookMs * GATHER_SHARE)), gathering.signal);
    gathering = undefined;
  }

  async function lookUntilEmpty() {
    ending.addEventListener("abort", poke);
    while (waiters.size > 0) {
      if (!ending.aborted) await gather();
      if (ending.aborted || mayYield()) letGo();
      else {
        poked = false;
        await look();
        if (waiters.size > 0) await nap();
      }
    }
    ending.removeEventListener("abort", poke);
    looking = false;
  }

  function letGo() {
    for (const [id, { end }] of [...waiters]) {
      waiters.delete(id);
      end({ kind: "unfinished" });
    }
  }

  async function look() {
    const asked = [...waiters];
    let found: ReadonlyMap<JobId, LiveJob> = new Map();
    let error: unknown;
    const since = clock.now();
    try {
      const jobs = await scheduler.list({ ids: asked.map(([id]) => id) }, ending);
      found = new Map(jobs.map((job) => [job.id, job]));
    } catch (thrown) {
      error = thrown;
    }
    lookMs = clock.now() - since;
    for (const [id, waiter] of asked) judge(id, waiter, found.get(id), error);
  }

  function judge(id: JobId, waiter: Waiter, live: LiveJob | undefined, error: unknown) {
    const waited = verdictOn(live, error, clock.now() >= waiter.deadline);
    if (waited) {
      waiters.delete(id);
      waiter.end(waited);
    } else if (live) waiter.onLook(live);
  }

  async function nap() {
    const crowd = waiters.size > FEW_JOBS ? waiters.size * MS_PER_JOB : 0;
    if (crowd > 0) await clock.sleep(Math.min(MOST_MS, crowd), ending);
    if (poked) return;
    const next = Math.min(...[...waiters.values()].map((one) => one.deadline)) - clock.now();
    napping = new AbortController();
    await clock.sleep(Math.max(1, Math.min(pause, next)), napping.signal);
    napping = undefined;
    pause = Math.min(MOST_MS, pause * 1.5);
  }

  return {
    poke,
    calm,
    join(id, wish) {
      return new Promise((end) => {
        waiters.set(id, { ...wish, end });
        poke();
        if (wish.awaited) calm();
        if (looking) return;
        looking = true;
        // It ends by itself with the last waiter, and what it waits for does not throw.
        void lookUntilEmpty();
      });
    },
  };
}

function verdictOn(live: LiveJob | undefined, error: unknown, late: boolean): Waited | undefined {
  if (live && (live.observed.failed || live.observed.rolledBack)) return { kind: "failed", live };
  if (live && isWell(live.observed)) return { kind: "well", live };
  return late ? { kind: "timeout", live, error } : undefined;
}
