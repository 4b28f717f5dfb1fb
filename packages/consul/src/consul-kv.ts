import {
  type Clock,
  type Kv,
  type KvEntry,
  type KvLock,
  type Random,
  SluiceError,
  systemClock,
} from "@sluice/core";
import { type ConnectionOptions, transportOptions } from "./connection-options.ts";
import { serverLimits } from "./limits.ts";
import { takeLock } from "./lock.ts";
import { readKey, readTree } from "./read.ts";
import { manyReader } from "./read-many.ts";
import { readNames } from "./read-names.ts";
import { commitOps, putLarge } from "./transaction.ts";
import { transport } from "./transport.ts";
import { watchKey } from "./watch.ts";

export interface ConsulKvOptions extends ConnectionOptions {
  /** Milliseconds one blocking query is held open; default 55,000. */
  readonly waitMs?: number;
  /** Consul's `limits.txn_max_req_len` and `limits.kv_max_value_size`, where the servers' are not 512 KiB. */
  readonly bodyBytes?: number;
  readonly valueBytes?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface ConsulKv extends Kv {
  /** Ends watches and requests under way with KV_UNREACHABLE, releases the locks still held, and closes the connections. */
  close(): Promise<void>;
}

const HALF_MIB = 512 * 1024;

/** The `Kv` port on Consul 1.8 and newer. @throws CONFIG_INVALID for an address or a file that cannot be used. */
export function consulKv(options: ConsulKvOptions): ConsulKv {
  const { clock = systemClock, random = Math.random, waitMs = 55_000 } = options;
  const wire = transport(transportOptions(options));
  const limits = serverLimits(wire, {
    bodyBytes: options.bodyBytes ?? HALF_MIB,
    valueBytes: options.valueBytes ?? HALF_MIB,
  });
  const many = manyReader(wire, limits);
  const closing = new AbortController();
  const pending = new Set<Promise<void>>();
  const context = { transport: wire, limits, clock, random, waitMs, background, closing: closing.signal };

  function background(work: Promise<void>) {
    const kept = work.catch(() => undefined).finally(() => pending.delete(kept));
    pending.add(kept);
  }
  return {
    get limits() {
      return limits.shown;
    },
    get: async (key, signal) => (await readKey(wire, key, { signal })).entry,
    getMany: many,
    list: <T>(prefix: string, signal?: AbortSignal, keep = asItIs as (entry: KvEntry) => T) =>
      readTree(wire, prefix, { keep, signal }),
    namesUnlessWritten: (prefix, since, signal) => readNames(wire, prefix, since, signal),
    commit: (ops, settings = {}, signal) => commitOps(context, ops, settings.fence, signal),
    putLarge: (key, value, index, signal) => putLarge(context, { key, value, index }, signal),
    watch: (key, { signal, ...rest }) =>
      watchKey(context, key, { ...rest, signal: AbortSignal.any([signal, closing.signal]) }),
    async lock(key, settings, signal) {
      signal.throwIfAborted();
      const either = AbortSignal.any([signal, closing.signal]);
      const asking = limits.known(either);
      const taking = takeLock(context, key, settings, either);
      background(taking.then(() => undefined));
      background(asking);
      const lock = await taking;
      // Whoever leads writes, and must know how much at a time. That was asked while the lock was taken.
      await asking.catch(() => limits.known(either)).catch((error: unknown) => giveBack(lock, error));
      return lock;
    },
    async close() {
      closing.abort(new SluiceError("KV_UNREACHABLE", "The connection to Consul is closed."));
      // What ends may start some cleaning up of its own.
      while (pending.size > 0) await Promise.all(pending);
      wire.close();
    },
  };
}

async function giveBack(lock: KvLock, why: unknown): Promise<never> {
  await lock.release();
  throw why;
}

function asItIs(entry: KvEntry): KvEntry {
  return entry;
}
