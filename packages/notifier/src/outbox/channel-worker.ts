import {
  backoffMs,
  type Clock,
  type Emit,
  type Kv,
  type KvFence,
  messageOf,
  OK,
  type Outcome,
  type Random,
  wait,
} from "@sluice/core";
import type { Channel, Delivery } from "../channels/channel.ts";
import { decodeWaiting, encodeWaiting, type Kept, threadOf } from "./entry.ts";

export interface ChannelSettings {
  readonly name: string;
  readonly channel: Channel;
  /** Messages in a minute, at the most. */
  readonly perMinute: number;
}

export interface WorkerOptions extends ChannelSettings {
  readonly kv: Kv;
  /** Of the channel's outbox; ends with a slash. */
  readonly prefix: string;
  readonly fence: KvFence;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly random: Random;
  /** After this many milliseconds a message that nobody takes is given up. */
  readonly giveUpMs: number;
  /** So many messages wait at the most; 500 where absent. */
  readonly mostWaiting?: number;
}

const BACKOFF = { firstMs: 2_000, mostMs: 10 * 60_000 };
const DEADLINE_MS = 120_000;
/** The oldest beyond these are given up: a channel that is dead for long must not fill the KV. */
const MOST_WAITING = 500;

interface State {
  /** Sent, but perhaps still in the KV: never sent again by this process. */
  readonly sent: Set<string>;
  pausedUntil: number;
  failing: boolean;
}

/** One look at the channel's outbox: sends what is due, in order within a deployment. Nothing but the KV's failures is thrown. */
export function channelWorker(options: WorkerOptions): (signal: AbortSignal) => Promise<Outcome> {
  const state: State = { sent: new Set(), pausedUntil: 0, failing: false };
  return async (signal) => {
    const { kv, prefix, clock, mostWaiting = MOST_WAITING } = options;
    const entries = await kv.list(prefix, signal);
    const all = entries.flatMap((entry) => decodeWaiting(entry) ?? []);
    const surplus = all.slice(0, Math.max(0, all.length - mostWaiting));
    for (const one of surplus) await giveUp(one, "too many newer ones wait", options, signal);
    const threads = byThread(all.slice(surplus.length));
    for (const [name, thread] of threads)
      if (!(await sendThread(thread, state, options, signal))) threads.set(name, []);
    return nextLook(threads, state, clock.now());
  };
}

/** @returns false where nothing of it is left. */
async function sendThread(
  thread: Kept[],
  state: State,
  options: WorkerOptions,
  signal: AbortSignal,
): Promise<boolean> {
  for (let first = thread[0]; first; first = thread[0]) {
    const now = options.clock.now();
    if (state.pausedUntil > now) {
      // A rate is waited for; what the channel asked for, or a failure, is slept on by the loop.
      if (state.failing) return true;
      await options.clock.sleep(state.pausedUntil - now, signal);
    }
    signal.throwIfAborted();
    if (first.nextAt > options.clock.now()) return true;
    const left = await attempt(first, state, options, signal);
    if (left) {
      thread[0] = left;
      return true;
    }
    thread.shift();
  }
  return false;
}

/** @returns the entry as it waits now; undefined: it is done with. */
async function attempt(
  one: Kept,
  state: State,
  options: WorkerOptions,
  signal: AbortSignal,
): Promise<Kept | undefined> {
  const { clock, perMinute } = options;
  if (!state.sent.has(one.key)) {
    const delivery = await post(one, options, signal);
    if (delivery.kind === "later") return postpone(one, delivery, state, options, signal);
    tellHealth(delivery, state, options);
    if (delivery.kind === "refused") {
      await giveUp(one, delivery.why, options, signal);
      return undefined;
    }
    state.sent.add(one.key);
    if (delivery.kind === "sent") state.pausedUntil = clock.now() + 60_000 / perMinute;
  }
  await remove(one, options, signal);
  state.sent.delete(one.key);
  return undefined;
}

/** A channel keeps its own deadline; one that does not keep it must not hold the others of this channel, or a stop, up. */
async function post(
  { notice }: Kept,
  { channel, clock }: WorkerOptions,
  signal: AbortSignal,
): Promise<Delivery> {
  const over = new AbortController();
  const end = () => over.abort(signal.reason);
  signal.addEventListener("abort", end);
  const late = clock.sleep(DEADLINE_MS, over.signal).then((): Delivery => {
    signal.throwIfAborted();
    return { kind: "later", why: `no answer within ${DEADLINE_MS / 1_000} s` };
  });
  // Where the other wins, nobody hears how this one ends.
  late.catch(() => undefined);
  try {
    return await Promise.race([channel.post(notice, over.signal), late]);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: "later", why: messageOf(error) };
  } finally {
    signal.removeEventListener("abort", end);
    over.abort();
  }
}

async function postpone(
  one: Kept,
  delivery: Extract<Delivery, { kind: "later" }>,
  state: State,
  options: WorkerOptions,
  signal: AbortSignal,
): Promise<Kept | undefined> {
  const { kv, clock, random, giveUpMs, fence } = options;
  tellHealth(delivery, state, options);
  const now = clock.now();
  if (now - one.acceptedAt >= giveUpMs) {
    await giveUp(one, delivery.why, options, signal);
    return undefined;
  }
  const pause = Math.max(backoffMs(one.attempts, BACKOFF, random), delivery.retryAfterMs ?? 0);
  if (delivery.retryAfterMs !== undefined) state.pausedUntil = now + delivery.retryAfterMs;
  // The last attempt is made when it is time to give up, not after.
  const nextAt = Math.min(now + pause, Math.max(one.acceptedAt + giveUpMs, now + 1_000));
  const next = { ...one, attempts: one.attempts + 1, nextAt };
  const op = { verb: "cas", key: one.key, value: encodeWaiting(next), index: one.index } as const;
  const done = await kv.commit([op], { fence }, signal);
  return done.applied ? { ...next, index: done.index } : undefined;
}

function tellHealth(delivery: Delivery, state: State, { name: channel, emit }: WorkerOptions): void {
  if (delivery.kind === "later") {
    if (!state.failing) emit({ type: "channel.failed", channel, message: delivery.why });
    state.failing = true;
  } else if (delivery.kind === "sent" && state.failing) {
    state.failing = false;
    state.pausedUntil = 0;
    emit({ type: "channel.recovered", channel });
  }
}

async function giveUp(one: Kept, why: string, options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { name: channel, emit } = options;
  const { id, title } = one.notice;
  await remove(one, options, signal);
  emit({ type: "notice.given-up", channel, id, title, why, attempts: one.attempts + 1 });
}

async function remove(
  { key, index }: Kept,
  { kv, fence }: WorkerOptions,
  signal: AbortSignal,
): Promise<void> {
  await kv.commit([{ verb: "delete-cas", key, index }], { fence }, signal);
}

function byThread(all: readonly Kept[]): Map<string, Kept[]> {
  const found = new Map<string, Kept[]>();
  for (const one of all) found.set(threadOf(one), [...(found.get(threadOf(one)) ?? []), one]);
  return found;
}

function nextLook(threads: ReadonlyMap<string, readonly Kept[]>, state: State, now: number): Outcome {
  const dues = [...threads.values()].flatMap(([first]) => (first ? [first.nextAt] : []));
  if (dues.length === 0) return OK;
  const at = Math.max(Math.min(...dues), state.failing ? state.pausedUntil : 0);
  return wait("Progressing", "messages wait to be sent", Math.max(at - now, 100));
}
