import { backoffMs, type Clock, type KvEntry, type KvWatchOptions, type Random } from "@sluice/core";
import { rateLimit } from "./rate-limit.ts";
import { readKey, readState, type Sight } from "./read.ts";
import type { Transport } from "./transport.ts";

export interface WatchContext {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  /** How long one request is held open, in milliseconds. */
  readonly waitMs: number;
}

const BACKOFF = { firstMs: 250, mostMs: 30_000 };

/** Answers may come in a burst; a server whose index churns must not be asked in a hot loop. */
const PACE = { burst: 20, perSecond: 5 };

/**
 * One key by blocking queries (consul.md, 3.1): an answer is no proof of a change, an index that went backwards starts over,
 * and a key that seems to have vanished is asked for once more, of a leader that knows it is one.
 */
export async function* watchKey(
  context: WatchContext,
  key: string,
  { signal, onError }: KvWatchOptions,
): AsyncGenerator<KvEntry | undefined, void> {
  const { clock, random } = context;
  const pace = rateLimit(clock, PACE);
  let seen: { entry: KvEntry | undefined } | undefined;
  let index: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    await pace(signal);
    let now: Sight;
    try {
      now = await look(context, key, { index, had: seen?.entry !== undefined, signal });
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      onError?.(error);
      await clock.sleep(backoffMs(failures, BACKOFF, random), signal);
      failures += 1;
      continue;
    }
    index = nextIndex(index, now.index);
    if (signal.aborted) return;
    if (seen && sameEntry(seen.entry, now.entry)) continue;
    seen = { entry: now.entry };
    yield isPrefix(key) ? undefined : now.entry;
  }
}

async function look(
  { transport, waitMs }: WatchContext,
  key: string,
  { index, had, signal }: { index: string | undefined; had: boolean; signal: AbortSignal },
): Promise<Sight> {
  const waits = index === undefined ? {} : { index, waitMs };
  if (isPrefix(key)) {
    const { state, index: at } = await readState(transport, key, { ...waits, signal });
    return { entry: { key, value: NOTHING, modifyIndex: state }, index: at };
  }
  const sight = await readKey(transport, key, { ...waits, signal });
  if (sight.entry || !had) return sight;
  const { entry } = await readKey(transport, key, { consistent: true, signal });
  return { entry, index: sight.index };
}

const NOTHING = new Uint8Array();

function isPrefix(key: string): boolean {
  return key.endsWith("/");
}

/** What to wait on next; undefined: do not wait, look again. An index of 0 would not wait either, 1 always does. */
function nextIndex(before: string | undefined, now: string): string | undefined {
  const next = BigInt(now);
  if (before !== undefined && next < BigInt(before)) return undefined;
  return next < 1n ? "1" : now;
}

function sameEntry(a: KvEntry | undefined, b: KvEntry | undefined): boolean {
  if (!a || !b) return a === b;
  return a.modifyIndex === b.modifyIndex && a.session === b.session && Buffer.compare(a.value, b.value) === 0;
}
