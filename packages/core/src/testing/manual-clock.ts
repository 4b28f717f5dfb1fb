import type { Clock } from "../ports/clock.ts";

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves time forward, waking every sleeper whose time has come, in order, and lets their continuations run. */
  advance(ms: number): Promise<void>;
  /** How many sleepers wait; lets a test wait for "the loop is asleep" instead of sleeping itself. */
  sleepers(): number;
}

interface Sleeper {
  at: number;
  wake: () => void;
}

/** @param start milliseconds since the epoch. */
export function manualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  let now = start;
  const sleepers = new Set<Sleeper>();

  return {
    now: () => now,
    sleepers: () => sleepers.size,
    sleep(ms, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted || ms <= 0) return resolve();
        const sleeper: Sleeper = { at: now + ms, wake: finish };
        function finish() {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", finish);
          resolve();
        }
        sleepers.add(sleeper);
        signal?.addEventListener("abort", finish);
      });
    },
    async advance(ms) {
      const until = now + ms;
      for (let next = earliest(sleepers, until); next; next = earliest(sleepers, until)) {
        now = Math.max(now, next.at);
        next.wake();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}

function earliest(sleepers: Set<Sleeper>, until: number): Sleeper | undefined {
  let found: Sleeper | undefined;
  for (const one of sleepers) if (one.at <= until && (!found || one.at < found.at)) found = one;
  return found;
}

/** Lets promise continuations, and the I/O they start in the same process, run before time moves on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
