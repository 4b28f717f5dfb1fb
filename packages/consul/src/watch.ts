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

/** A key that really changes all the time, or a server that answers now this and now that, is no hot loop. */
const PACE = { burst: 20, perSecond: 5 };

/**
 * Between questions while the answers show nothing new. Consul's radix tree has no node for a key that does not exist, so that
 * a question for it is answered at every write near it: a mirror's thousands would each wake every watch of an absent key.
 */
const UNCHANGED = { firstMs: 10, mostMs: 500 };
/** A question that was held open for as long was answered in its own time. */
const HELD_MS = 1_000;

/**
 * One key by blocking queries (consul.md, 3.1): an answer is no proof of a change, an index that went backwards starts over,
 * and a key that seems to have vanished is asked for once more, of a leader that knows it is one. Answers in a row that show
 * nothing new are asked for less and less often; what changes in a pause is not lost, because the next question names the last
 * index, and is answered at once.
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
  let unchanged = 0;
  while (!signal.aborted) {
    await pace(signal);
    const asked = clock.now();
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
    if (seen && sameEntry(seen.entry, now.entry)) {
      unchanged = clock.now() - asked < HELD_MS ? unchanged + 1 : 0;
      if (unchanged > 0) await clock.sleep(backoffMs(unchanged - 1, UNCHANGED, random), signal);
    } else {
      unchanged = 0;
      seen = { entry: now.entry };
      yield isPrefix(key) ? undefined : now.entry;
    }
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
