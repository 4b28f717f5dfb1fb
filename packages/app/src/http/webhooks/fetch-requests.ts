import {
  backoffMs,
  type Clock,
  type EventSink,
  emitterFor,
  isSluiceError,
  type Kv,
  messageOf,
  type Random,
} from "@sluice/core";
import type { Environment } from "../../engine/environment.ts";

/** Where a hint came from, for people who look at the key. */
export interface FetchHint {
  readonly by: string;
  readonly delivery: string | undefined;
}

export interface FetchRequests {
  /** Asks whoever mirrors the environment, in whichever process, to look at its branch; returns at once. */
  ask(environment: Pick<Environment, "name" | "layout">, hint: FetchHint): void;
  /** Writes what is still to be written, once each, and takes no more. Never rejects. */
  close(): Promise<void>;
}

export interface FetchRequestsOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
}

/** Between two writes of one key; doubled while hints keep coming, so that a burst of any size costs a handful. */
const PAUSE = { firstMs: 100, mostMs: 1_000 };
const BACKOFF = { firstMs: 200, mostMs: 30_000 };

/** The hints of one environment, while there are any. */
interface Lane {
  pending: FetchHint | undefined;
  done: Promise<void>;
}

interface Writing {
  readonly lane: Lane;
  write(hint: FetchHint): Promise<void>;
  failed(error: unknown): void;
  closed(): void;
}

/**
 * Turns hints into writes of `control/fetch`, which mirrors watch: the first at once, those that come during a pause as one at
 * its end, so that the last is never lost. One write at a time for each environment; a failed one is tried again.
 */
export function fetchRequests(options: FetchRequestsOptions): FetchRequests {
  const { kv, clock, events } = options;
  const lanes = new Map<string, Lane>();
  const stopping = new AbortController();
  return {
    ask({ name, layout }, hint) {
      if (stopping.signal.aborted) return;
      const open = lanes.get(name);
      if (open) {
        open.pending = hint;
        return;
      }
      const lane: Lane = { pending: hint, done: Promise.resolve() };
      lanes.set(name, lane);
      const key = layout.control("fetch");
      const writing: Writing = {
        lane,
        write: async (one) => void (await kv.commit([{ verb: "set", key, value: token(one, clock.now()) }])),
        failed(error) {
          const code = isSluiceError(error) ? error.code : "INTERNAL";
          emitterFor(name, events, clock)({ type: "webhook.failed", code, message: messageOf(error) });
        },
        closed: () => lanes.delete(name),
      };
      lane.done = drain(writing, options, stopping.signal);
    },
    async close() {
      stopping.abort();
      await Promise.all([...lanes.values()].map((lane) => lane.done));
    },
  };
}

async function drain(
  { lane, write, failed, closed }: Writing,
  { clock, random }: FetchRequestsOptions,
  stopping: AbortSignal,
): Promise<void> {
  let failures = 0;
  for (let pause = PAUSE.firstMs; lane.pending; pause = Math.min(pause * 2, PAUSE.mostMs)) {
    const hint = lane.pending;
    lane.pending = undefined;
    const last = stopping.aborted;
    try {
      await write(hint);
      failures = 0;
    } catch (error) {
      if (failures++ === 0) failed(error);
      if (last) break;
      lane.pending ??= hint;
    }
    await clock.sleep(failures > 0 ? backoffMs(failures - 1, BACKOFF, random) : pause, stopping);
  }
  // In the same turn in which the lane was found empty: a hint never lands in a closed one.
  closed();
}

/** A value that differs from every earlier one: a write that changes nothing wakes nobody. */
function token({ by, delivery }: FetchHint, now: number): Uint8Array {
  return Buffer.from(JSON.stringify({ at: new Date(now).toISOString(), by, delivery }));
}
