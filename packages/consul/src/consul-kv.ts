import { type Clock, type Kv, type KvEntry, type Random, SluiceError, systemClock } from "@sluice/core";
import { serverLimits } from "./limits.ts";
import { takeLock } from "./lock.ts";
import { readKey, readTree } from "./read.ts";
import { manyReader } from "./read-many.ts";
import { readConfigured, tokenSource } from "./token.ts";
import { commitOps, putLarge } from "./transaction.ts";
import { transport } from "./transport.ts";
import { watchKey } from "./watch.ts";

export interface ConsulKvOptions {
  /** `http(s)://host:port`. */
  readonly address: string;
  /** ACL token. */
  readonly token?: string;
  /** A file that holds the token; read again when Consul refuses it, so that it can be renewed from outside. */
  readonly tokenFile?: string;
  readonly datacenter?: string;
  /** PEM files for TLS: the authority, and this client's own certificate and key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Milliseconds for every request that is not held open; default 10,000. */
  readonly timeoutMs?: number;
  /** Most connections for such requests; default 16. Every watch and every lock holds one more. */
  readonly connections?: number;
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
    commit: (ops, settings = {}, signal) => commitOps(context, ops, settings.fence, signal),
    putLarge: (key, value, index, signal) => putLarge(context, { key, value, index }, signal),
    watch: (key, { signal, ...rest }) =>
      watchKey(context, key, { ...rest, signal: AbortSignal.any([signal, closing.signal]) }),
    async lock(key, settings, signal) {
      signal.throwIfAborted();
      const either = AbortSignal.any([signal, closing.signal]);
      await limits.known(either);
      const taking = takeLock(context, key, settings, either);
      background(taking.then(() => undefined));
      return taking;
    },
    async close() {
      closing.abort(new SluiceError("KV_UNREACHABLE", "The connection to Consul is closed."));
      // What ends may start some cleaning up of its own.
      while (pending.size > 0) await Promise.all(pending);
      wire.close();
    },
  };
}

function asItIs(entry: KvEntry): KvEntry {
  return entry;
}

function transportOptions(options: ConsulKvOptions) {
  const url = URL.canParse(options.address) ? new URL(options.address) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw new SluiceError(
      "CONFIG_INVALID",
      "consul.address is not an address such as http://127.0.0.1:8500.",
    );
  const tls = (["ca", "cert", "key"] as const).flatMap((name) => {
    const file = options[name];
    return file === undefined ? [] : [[name, readConfigured(name, file)]];
  });
  return {
    address: url.href.replace(/\/+$/, ""),
    host: url.host,
    token: tokenSource(options.token, options.tokenFile),
    datacenter: options.datacenter,
    tls: Object.fromEntries(tls),
    timeoutMs: options.timeoutMs ?? 10_000,
    connections: options.connections ?? 16,
  };
}
