import type { Clock } from "@sluice/core";
import type { Watchers } from "./watchers.ts";

/** A read that may wait: what to read, and which changes make reading again worthwhile. */
export interface Query<T> {
  run(): Found<T>;
  topics: readonly string[];
  /** The index that `run` would find, where it is known without running. */
  knownIndex?(): number | undefined;
}

export interface Found<T> {
  /** Answered as `X-Consul-Index`. */
  index: number;
  value: T;
}

export interface Wait {
  /** The client's `index`; 0 answers at once. */
  index: number;
  waitMs: number;
}

export interface WaitContext {
  watchers: Watchers;
  clock: Clock;
  /** In [0, 1): spreads the end of waits that began together. */
  random: () => number;
  /** Aborted when the server stops. */
  stopped: AbortSignal;
}

export const DEFAULT_WAIT_MS = 300_000;
export const LONGEST_WAIT_MS = 600_000;
/** Consul adds up to a sixteenth of the wait. */
const JITTER = 1 / 16;

/**
 * Answers once the query's index is beyond the client's, or with what there is when the wait is over, the client is
 * gone or the server stops. An index that lies behind the client's is waited out too: Consul leaves noticing that to
 * the client.
 */
export async function block<T>(
  query: Query<T>,
  wait: Wait,
  context: WaitContext,
  signal: AbortSignal,
): Promise<Found<T>> {
  const ended = new AbortController();
  const end = () => ended.abort();
  let wake: () => void = () => undefined;
  const unwatch = context.watchers.watch(query.topics, () => wake());
  const causes = [signal, context.stopped];
  for (const cause of causes) cause.addEventListener("abort", end);
  if (causes.some(({ aborted }) => aborted)) end();
  const longest = Math.min(wait.waitMs || DEFAULT_WAIT_MS, LONGEST_WAIT_MS);
  const asleep = context.clock.sleep(longest * (1 + context.random() * JITTER), ended.signal).then(() => {
    end();
    wake();
  });
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const found = ended.signal.aborted || mayBeNew(query, wait) ? query.run() : undefined;
      if (found && (ended.signal.aborted || found.index > wait.index)) return found;
      await woken;
    }
  } finally {
    unwatch();
    for (const cause of causes) cause.removeEventListener("abort", end);
    end();
    await asleep;
  }
}

function mayBeNew<T>(query: Query<T>, wait: Wait): boolean {
  const known = query.knownIndex?.();
  return known === undefined || known > wait.index;
}
