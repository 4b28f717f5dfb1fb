import { setTimeout as delay } from "node:timers/promises";

/** Time as a service sees it. Tests pass `manualClock()` of `@sluice/core/testing`; nothing else in the house reads the wall clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Resolves after `ms` milliseconds, or at once when `signal` aborts; it never rejects, so a loop reads
   * `signal.aborted` after it. Negative and fractional values are allowed.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. Sleeps of any length are safe: Node fires timers beyond 2³¹ ms at once, so they are split. */
export const systemClock: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    let left = Math.max(0, ms);
    do {
      const part = Math.min(left, LONGEST_TIMER_MS);
      await delay(part, undefined, signal ? { signal } : {}).catch(() => undefined);
      left -= part;
    } while (left > 0 && !signal?.aborted);
  },
};
