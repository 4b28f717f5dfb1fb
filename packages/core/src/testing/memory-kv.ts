import { type ErrorCode, SluiceError } from "../errors.ts";
import type { Kv, KvEntry, KvFence, KvLimits, KvLock, KvLockOptions, KvOp } from "../ports/kv.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";

export interface MemoryKv extends Kv {
  /** Every `commit` and `putLarge` that was applied, as the operations it held. */
  readonly commits: readonly (readonly KvOp[])[];
  /** Writes a key by hand, past every check. */
  set(key: string, value: string | Uint8Array): void;
  /** Deletes a key by hand. */
  unset(key: string): void;
  /** Keys and texts, sorted: the whole content, the keys of locks included, for comparing exact sets. */
  dump(prefix?: string): Record<string, string>;
  /** Ends a lock's session as a lost connection would, without a lock delay. */
  expire(fence: KvFence): void;
  /**
   * Asked before every call but `watch` and `lock`, with its number from 1: a code makes it throw, and "after:CODE" makes it
   * throw after it was applied.
   */
  fault: ((call: keyof Kv, number: number) => ErrorCode | `after:${ErrorCode}` | undefined) | undefined;
}

const LIMITS: KvLimits = { operations: 127, bodyBytes: 512 * 1024, valueBytes: 512 * 1024 };

/**
 * Consul's KV rules in memory: one index for all keys, no-op writes keep theirs, transactions are whole and within the limits,
 * locks are fenced and seen as their key's value and session. A call whose signal aborted rejects with the signal's reason.
 */
export function memoryKv(limits: Partial<KvLimits> = {}): MemoryKv {
  const bounds = { ...LIMITS, ...limits };
  const store = memoryStore(bounds);
  const call = caller(() => kv.fault);
  const kv: MemoryKv = {
    limits: bounds,
    commits: store.commits,
    fault: undefined,
    set: (key, value) => store.write(key, typeof value === "string" ? Buffer.from(value) : value),
    unset: (key) => store.remove(key),
    dump(prefix = "") {
      const entries = store.under(prefix);
      return Object.fromEntries(entries.map(({ key, value }) => [key, Buffer.from(value).toString()]));
    },
    expire: (fence) => store.loose(fence),
    get: (key, signal) => call("get", () => store.entries.get(key), signal),
    getMany: (keys, signal) => call("getMany", () => among(store.entries, keys), signal),
    list: <T>(prefix: string, signal?: AbortSignal, keep = asItIs as (entry: KvEntry) => T) =>
      call("list", () => store.under(prefix).map(keep), signal),
    namesUnlessWritten: (prefix, since, signal) =>
      call("namesUnlessWritten", () => namesUnder(store, prefix, since), signal),
    commit: (ops, options, signal) => call("commit", () => store.transact(ops, options?.fence), signal),
    putLarge: (key, value, index, signal) =>
      call("putLarge", () => store.transactLarge({ verb: "cas", key, value, index }), signal),
    watch: (key, options) => watchKey(store, key, options.signal),
    lock: (key, options, signal) => lockKey(store, key, options, signal),
  };
  return kv;
}

/** Counts the calls, and lets a test make one fail before or after its work. */
function caller(fault: () => MemoryKv["fault"]) {
  let calls = 0;
  return async function call<T>(name: keyof Kv, work: () => T, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    calls += 1;
    const told = fault()?.(name, calls);
    if (told?.startsWith("after:")) {
      work();
      throw new SluiceError(told.slice(6) as ErrorCode, `told to fail ${name} after it was applied`);
    }
    if (told) throw new SluiceError(told as ErrorCode, `told to fail ${name}`);
    await Promise.resolve();
    return work();
  };
}

function asItIs(entry: KvEntry): KvEntry {
  return entry;
}

function among(entries: ReadonlyMap<string, KvEntry>, keys: readonly string[]): Map<string, KvEntry> {
  const found = new Map<string, KvEntry>();
  for (const key of keys) {
    const entry = entries.get(key);
    if (entry) found.set(key, entry);
  }
  return found;
}

function namesUnder(store: MemoryStore, prefix: string, since: string): readonly string[] | undefined {
  const entries = store.under(prefix);
  const written = entries.some(({ modifyIndex }) => BigInt(modifyIndex) > BigInt(since));
  return entries.length === 0 || written ? undefined : entries.map(({ key }) => key);
}

async function* watchKey(
  store: MemoryStore,
  key: string,
  signal: AbortSignal,
): AsyncIterable<KvEntry | undefined> {
  let seen: string | undefined;
  while (!signal.aborted) {
    const entry = store.entries.get(key);
    const state = key.endsWith("/") ? stateUnder(store, key) : (entry?.modifyIndex ?? "absent");
    if (state !== seen) {
      seen = state;
      yield entry;
    } else await nextChange(store, signal).catch(() => undefined);
  }
}

function stateUnder(store: MemoryStore, prefix: string): string {
  return store
    .under(prefix)
    .map((entry) => `${entry.key} ${entry.modifyIndex}`)
    .join();
}

async function lockKey(
  store: MemoryStore,
  key: string,
  { holder }: KvLockOptions,
  signal: AbortSignal,
): Promise<KvLock> {
  signal.throwIfAborted();
  for (let lock = store.hold(key, holder); ; lock = store.hold(key, holder)) {
    if (lock) return { ...lock, release: async () => store.loose(lock.fence) };
    await nextChange(store, signal);
  }
}

function nextChange({ watchers }: MemoryStore, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      watchers.delete(done);
      signal.removeEventListener("abort", done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    watchers.add(done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
