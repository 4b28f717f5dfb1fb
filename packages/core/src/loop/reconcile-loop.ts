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
  let woken = true;
  let sleeping: AbortController | undefined;
  let passing: AbortController | undefined;

  function wake() {
    woken = true;
    sleeping?.abort();
  }

  async function sleep(ms: number, signal: AbortSignal) {
    if (woken || signal.aborted) return;
    sleeping = new AbortController();
    await options.clock.sleep(ms, sleeping.signal);
    sleeping = undefined;
  }

  async function runPass(failures: number): Promise<Result> {
    passing = new AbortController();
    const passSignal = passing.signal;
    try {
      return await options.pass(passSignal);
    } catch (error) {
      if (passSignal.aborted) return { kind: "interrupted" };
      return { kind: "failed", error, failures: failures + 1 };
    } finally {
      passing = undefined;
    }
  }

  return {
    wake,
    interrupt() {
      wake();
      passing?.abort(INTERRUPTED);
    },
    async run(signal) {
      // Not AbortSignal.any: Node 20 keeps what it makes of a long-lived signal for as long as anything listens to it.
      const stop = () => {
        sleeping?.abort();
        passing?.abort(signal.reason);
      };
      signal.addEventListener("abort", stop);
      let failures = 0;
      try {
        while (!signal.aborted) {
          woken = false;
          const result = await runPass(failures);
          if (result.kind !== "interrupted") {
            failures = result.kind === "failed" ? result.failures : 0;
            options.settled?.(result);
          }
          await sleep(pauseAfter(result, options), signal);
        }
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

type Result = Outcome | { kind: "failed"; error: unknown; failures: number } | { kind: "interrupted" };

function pauseAfter(result: Result, options: ReconcileLoopOptions): number {
  const { intervalMs, backoff, random } = options;
  if (result.kind === "again" || result.kind === "interrupted") return 0;
  if (result.kind === "failed") return backoffMs(result.failures - 1, backoff, random);
  if (result.kind === "wait") return jittered(result.retryInMs, 0.1, random);
  return jittered(intervalMs, 0.1, random);
}
