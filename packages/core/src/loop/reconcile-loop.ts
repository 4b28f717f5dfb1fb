import type { Clock } from "../ports/clock.ts";
import { type BackoffOptions, backoffMs, jittered, type Random } from "./backoff.ts";
import type { Outcome } from "./outcome.ts";

export interface ReconcileLoopOptions {
  /** One level-triggered pass. Throws for what is transient. */
  pass(signal: AbortSignal): Promise<Outcome>;
  /**
   * Told how each pass ended, a thrown error included; the one place where a service settles. Not called for a pass that an
   * interruption made throw: that says nothing about success or failure.
   */
  settled?(
    result: Outcome | { readonly kind: "failed"; readonly error: unknown; readonly failures: number },
  ): void;
  /** Time between passes when nothing wakes the loop, in milliseconds; jittered by a tenth. */
  readonly intervalMs: number;
  readonly backoff: BackoffOptions;
  readonly clock: Clock;
  readonly random: Random;
}

/** The slow truth with a fast path: passes run one at a time, woken by hints, by the interval, and by a retry that is due. */
export interface ReconcileLoop {
  /** Asks for a pass; many calls before it starts are one. A wake-up during a pass is kept for the next. */
  wake(): void;
  /** As `wake`, and ends the running pass through its signal: what it works on is out of date. */
  interrupt(): void;
  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** The reason a pass's signal aborts with when `interrupt` was called. */
export const INTERRUPTED = Symbol("interrupted");

export function reconcileLoop(options: ReconcileLoopOptions): ReconcileLoop {
  const state: State = { woken: true, sleeping: undefined, passing: undefined };

  function wake() {
    state.woken = true;
    state.sleeping?.abort();
  }

  return {
    wake,
    interrupt() {
      wake();
      state.passing?.abort(INTERRUPTED);
    },
    async run(signal) {
      // Not AbortSignal.any: Node 20 keeps what it makes of a long-lived signal for as long as anything listens to it.
      const stop = () => {
        state.sleeping?.abort();
        state.passing?.abort(signal.reason);
      };
      signal.addEventListener("abort", stop);
      try {
        await passUntilAborted(state, options, signal);
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

interface State {
  /** A pass is asked for. */
  woken: boolean;
  sleeping: AbortController | undefined;
  passing: AbortController | undefined;
}

type Result = Outcome | { kind: "failed"; error: unknown; failures: number } | { kind: "interrupted" };

function pauseAfter(result: Result, options: ReconcileLoopOptions): number {
  const { intervalMs, backoff, random } = options;
  if (result.kind === "again" || result.kind === "interrupted") return 0;
  if (result.kind === "failed") return backoffMs(result.failures - 1, backoff, random);
  if (result.kind === "wait") return jittered(result.retryInMs, 0.1, random);
  return jittered(intervalMs, 0.1, random);
}

async function passUntilAborted(
  state: State,
  options: ReconcileLoopOptions,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    state.woken = false;
    const result = await runPass(state, options, failures);
    if (result.kind !== "interrupted") {
      failures = result.kind === "failed" ? result.failures : 0;
      options.settled?.(result);
    }
    if (!state.woken && !signal.aborted) await sleep(state, options.clock, pauseAfter(result, options));
  }
}

async function runPass(state: State, options: ReconcileLoopOptions, failures: number): Promise<Result> {
  const passing = new AbortController();
  state.passing = passing;
  try {
    return await options.pass(passing.signal);
  } catch (error) {
    if (passing.signal.aborted) return { kind: "interrupted" };
    return { kind: "failed", error, failures: failures + 1 };
  } finally {
    state.passing = undefined;
  }
}

async function sleep(state: State, clock: Clock, ms: number): Promise<void> {
  state.sleeping = new AbortController();
  await clock.sleep(ms, state.sleeping.signal);
  state.sleeping = undefined;
}
