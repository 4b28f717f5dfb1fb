import { type Kv, type KvFence, type KvOp, kvLayout } from "@sluice/core";
import type { NoticeLayout } from "../layout.ts";
import { fresh, readLog } from "../logged.ts";
import type { Fact } from "../notice/notice.ts";
import { encodeWaiting, outboxKey } from "../outbox/entry.ts";
import { type Route, routed } from "../routing/routes.ts";
import { enriched } from "./enrich.ts";
import { dueAt, gathered } from "./gathered.ts";
import { listen, type News } from "./listen.ts";
import { firstMemory, lookAt, newsOf, type Watched } from "./look.ts";
import { decodeMemory, encodeMemory, type Memory, NOTHING_HEARD } from "./memory.ts";
import { once } from "./once.ts";

export interface TellerOptions {
  readonly kv: Kv;
  readonly prefix: string;
  readonly layout: NoticeLayout;
  readonly fence: KvFence;
  readonly routes: readonly Route[];
  /** How long news of jobs waits for more of its kind, in milliseconds. */
  readonly gatherMs: number;
  /** For how long the same fact is told once, in milliseconds. */
  readonly repeatMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The next number of this term: orders what is accepted in the same millisecond. */
  readonly next: () => number;
}

/** What a pass over one place came to. */
export interface Accepted {
  /** Channels that have something new to send. */
  readonly channels: ReadonlySet<string>;
  /** When it has to be looked at again although nothing happens; milliseconds since the epoch. */
  readonly dueAt: number | undefined;
}

/** Hears what is new of an environment and puts what it leads to into the outboxes, in one step with what is remembered. */
export async function tellOf(
  watched: Watched,
  since: string,
  options: TellerOptions,
  signal: AbortSignal,
): Promise<Accepted> {
  const { kv, now } = options;
  const key = options.layout.memory(watched.name);
  const look = await lookAt(kv, watched, key, signal);
  const known = decodeMemory(look.memory);
  const memory = known ?? (await firstMemory(kv, watched, look, since, signal));
  const { news: all, ends, recalled } = await newsOf(kv, watched, { look, memory, now }, signal);
  const most = recalled ? Number.POSITIVE_INFINITY : mostFacts(options);
  const listened = listen(memory, all, { ends, most, now });
  const late = gathered(listened.memory, watched.name, options.gatherMs, now);
  const news = once(late.memory, [...listened.facts, ...late.facts], { windowMs: options.repeatMs, now });
  const place = { key, index: look.memory?.modifyIndex ?? "0" };
  const channels = await accept(place, known, news, options, signal);
  return { channels, dueAt: listened.whole ? dueAt(news.memory, options.gatherMs) : now };
}

/** Since when anything is told, from the first start of the first notifier on; ISO 8601. The logs of wide services are heard too. */
export async function tellOfWide(
  options: TellerOptions,
  signal: AbortSignal,
): Promise<Accepted & { readonly since: string }> {
  const { kv, layout, now } = options;
  const entry = await kv.get(layout.wideMemory, signal);
  const known = decodeMemory(entry) as (Memory & { readonly since?: string }) | undefined;
  const since = known?.since ?? new Date(now).toISOString();
  const logs = await kv.list(layout.wideLogs, signal);
  const ends: Record<string, number> = {};
  const all: News[] = [];
  for (const entry of logs) {
    const log = entry.key.slice(layout.wideLogs.length);
    const events = readLog(entry);
    ends[log] = events.at(-1)?.seq ?? 0;
    const news = fresh(events, known?.heard[log] ?? 0).events.filter(({ event }) => event.at >= since);
    all.push(...news.map((one) => ({ ...one, log })));
  }
  const memory = { ...(known ?? NOTHING_HEARD), since };
  const listened = listen(memory, all, { ends, most: mostFacts(options), now });
  const news = once(listened.memory, listened.facts, { windowMs: options.repeatMs, now });
  const place = { key: layout.wideMemory, index: entry?.modifyIndex ?? "0" };
  const channels = await accept(place, known, news, options, signal);
  return { channels, dueAt: listened.whole ? undefined : now, since };
}

interface Told {
  readonly memory: Memory;
  readonly facts: readonly Fact[];
}

/** Leaves room for the memory and the fence in a transaction of 64 operations, and in its half a mebibyte. */
const MOST_AT_ONCE = 24;

function mostFacts({ routes }: TellerOptions): number {
  const channels = new Set(routes.flatMap(({ to }) => to)).size;
  return Math.max(1, Math.floor(MOST_AT_ONCE / Math.max(channels, 1)));
}

/**
 * Writes messages and memory in one transaction, so that each fact is accepted once. Of more than fit (so many channels, or so
 * many facts found in the statuses) the rest goes first: after a crash between the two it is told again.
 */
async function accept(
  { key, index }: { readonly key: string; readonly index: string },
  known: Memory | undefined,
  { memory, facts }: Told,
  options: TellerOptions,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const channels = new Set<string>();
  if (known && JSON.stringify(known) === JSON.stringify(memory)) return channels;
  const ops: KvOp[] = [];
  for (const fact of facts) {
    const whole = await enriched(options.kv, kvLayout(options.prefix, fact.environment), fact, signal);
    for (const [channel, notice] of routed(whole, options.routes)) {
      channels.add(channel);
      const waiting = { notice, acceptedAt: options.now, attempts: 0, nextAt: 0 };
      const box = outboxKey(options.layout.outbox(channel), notice, options.now, options.next());
      ops.push({ verb: "set", key: box, value: encodeWaiting(waiting) });
    }
  }
  const { kv, fence } = options;
  while (ops.length > MOST_AT_ONCE) await kv.commit(ops.splice(0, MOST_AT_ONCE), { fence }, signal);
  const remember: KvOp = { verb: "cas", key, value: encodeMemory(memory), index };
  const done = await kv.commit([remember, ...ops], { fence }, signal);
  if (!done.applied) throw new Error(`the KV key ${key} was written by another hand`);
  return channels;
}
