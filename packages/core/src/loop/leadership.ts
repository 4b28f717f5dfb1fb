import { isSluiceError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Emit } from "../ports/event-sink.ts";
import type { Kv, KvLock, KvLockOptions } from "../ports/kv.ts";
import { backoffMs, type Random } from "./backoff.ts";

export interface LeadershipOptions {
  readonly kv: Kv;
  /** The lock's key. */
  readonly key: string;
  readonly lock: KvLockOptions;
  /** For the events `leader.elected` and `leader.lost`. */
  readonly role: string;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each failure to take the lock, and of what a term threw; the next attempt waits with backoff. */
  readonly onFailure: (error: unknown) => void;
}

const BACKOFF = { firstMs: 500, mostMs: 30_000 };

/**
 * Contends for a lock and works while it is held, again and again until the signal aborts. The term's signal aborts with the
 * lock; a term that ends or throws gives the lock up. Resolves once the signal has aborted and the last term is over.
 */
export async function leadWhileHeld(
  options: LeadershipOptions,
  term: (lock: KvLock, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { kv, key, clock, random, onFailure } = options;
  for (let failures = 0; !signal.aborted; failures++) {
    const since = clock.now();
    try {
      const lock = await kv.lock(key, options.lock, signal);
      const led = clock.now();
      await oneTerm(options, lock, led - since, term, signal);
      // A lock that is lost as soon as it is taken must not become all that the KV is asked for.
      if (clock.now() - led > BACKOFF.mostMs) failures = -1;
    } catch (error) {
      if (signal.aborted) return;
      if (!isSluiceError(error, "LOCK_LOST")) onFailure(error);
    }
    await clock.sleep(backoffMs(Math.max(failures, 0), BACKOFF, random), signal);
  }
}

async function oneTerm(
  { emit, role }: LeadershipOptions,
  lock: KvLock,
  waitedMs: number,
  term: (lock: KvLock, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const stop = () => over.abort(signal.reason);
  const lose = () => over.abort(lock.lost.reason);
  signal.addEventListener("abort", stop);
  lock.lost.addEventListener("abort", lose);
  if (signal.aborted) stop();
  if (lock.lost.aborted) lose();
  emit({ type: "leader.elected", role, waitedMs });
  try {
    await term(lock, over.signal);
  } finally {
    signal.removeEventListener("abort", stop);
    lock.lost.removeEventListener("abort", lose);
    over.abort();
    await lock.release();
    if (!signal.aborted) emit({ type: "leader.lost", role });
  }
}
