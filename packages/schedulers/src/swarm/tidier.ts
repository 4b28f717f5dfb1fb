import { backoffMs, type Clock, type Random } from "@sluice/core";
import type { laneLimit } from "../http/lanes.ts";
import type { SwarmClient } from "./client.ts";
import { type Leftovers, tidy } from "./materials.ts";

export interface TidierOptions {
  readonly client: SwarmClient;
  readonly clock: Clock;
  readonly random: Random;
  /** What writes that make or leave configs, secrets and networks go through. */
  readonly oneByOne: ReturnType<typeof laneLimit>;
}

export interface Tidier {
  /** Removes what is left over; what fails is left to a later write. Resolves with how many are in use still. To be called one by one. */
  now(left: Leftovers, signal: AbortSignal | undefined): Promise<number>;
  /** Goes on with it until nothing is in use, for some fifteen seconds, beside other writes. */
  later(left: Leftovers, signal: AbortSignal | undefined): void;
}

/** A removed service's tasks let go of their networks once they have stopped, which may take them ten seconds. */
const MOST_TRIES = 32;
const RETRY = { firstMs: 20, mostMs: 500 };

export function tidier({ client, clock, random, oneByOne }: TidierOptions): Tidier {
  /** By mark. */
  const pending = new Map<string, Leftovers>();

  async function now(left: Leftovers, signal: AbortSignal | undefined): Promise<number> {
    try {
      return await tidy(client, left, signal);
    } catch {
      signal?.throwIfAborted();
      return 0;
    }
  }

  async function goOn(mark: string, signal: AbortSignal | undefined): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES && !signal?.aborted; tries++) {
      await clock.sleep(backoffMs(tries, RETRY, random), signal);
      const left = pending.get(mark);
      if (!left || signal?.aborted) break;
      const kept = await oneByOne(() => now(left, signal)).catch(() => 0);
      const isNewest = pending.get(mark) === left;
      if (kept === 0 && isNewest) break;
      if (!isNewest) tries = 0;
    }
    pending.delete(mark);
  }

  return {
    now,
    later(left, signal) {
      const old = pending.get(left.mark);
      const ids = new Set([...(old?.ids ?? []), ...left.ids]);
      pending.set(left.mark, {
        mark: left.mark,
        ids,
        bases: new Set([...(old?.bases ?? []), ...left.bases]),
      });
      // It ends by itself, and nothing of it throws.
      if (!old) void goOn(left.mark, signal);
    },
  };
}
