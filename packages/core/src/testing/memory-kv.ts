import { type ErrorCode, SluiceError } from "../errors.ts";
import type { Kv, KvCommit, KvEntry, KvFence, KvLock, KvOp } from "../ports/kv.ts";

export interface MemoryKv extends Kv {
  /** Every `commit` and `putLarge` that was applied, as the operations it held. */
  readonly commits: readonly (readonly KvOp[])[];
  /** Writes a key by hand, past every check. */
  set(key: string, value: string | Uint8Array): void;
  /** Deletes a key by hand. */
  unset(key: string): void;
  /** Keys and texts, sorted: the whole content, for comparing exact sets. */
  dump(prefix?: string): Record<string, string>;
  /** Ends a lock's session as a lost connection would. */
  expire(fence: KvFence): void;
  /** Asked before every call, with its number from 1: a code makes it throw, and "after:CODE" makes it throw after it was applied. */
  fault: ((call: keyof Kv, number: number) => ErrorCode | `after:${ErrorCode}` | undefined) | undefined;
}

/** Consul's KV rules in memory: one index for all keys, no-op writes keep theirs, transactions are whole, locks are fenced. */
export function memoryKv(limits: Partial<Kv["limits"]> = {}): MemoryKv {
  const entries = new Map<string, KvEntry>();
  const holders = new Map<string, { session: string; controller: AbortController }>();
  const watchers = new Set<() => void>();
  const commits: (readonly KvOp[])[] = [];
  let index = 0;
  let calls = 0;
  let sessions = 0;

  async function call<T>(name: keyof Kv, work: () => T): Promise<T> {
    calls += 1;
    const fault = kv.fault?.(name, calls);
    if (fault?.startsWith("after:")) {
      work();
      throw new SluiceError(fault.slice(6) as ErrorCode, `told to fail ${name} after it was applied`);
    }
    if (fault) throw new SluiceError(fault as ErrorCode, `told to fail ${name}`);
    await Promise.resolve();
    return work();
  }
  function changed() {
    for (const notify of [...watchers]) notify();
  }
  function write(key: string, value: Uint8Array) {
    const old = entries.get(key);
    if (old && Buffer.compare(Buffer.from(old.value), Buffer.from(value)) === 0) return;
    entries.set(key, { ...old, key, value: Uint8Array.from(value), modifyIndex: String(index) });
  }
  function commit(ops: readonly KvOp[], fence: KvFence | undefined): KvCommit {
    if (fence && holders.get(fence.key)?.session !== fence.session)
      throw new SluiceError("LOCK_LOST", `the lock ${fence.key} is not held`);
    const conflicts = ops.flatMap((op, at) => {
      const what = objection(op, entries.get(op.key));
      return what ? [{ op: at, what }] : [];
    });
    if (conflicts.length > 0) return { applied: false, conflicts };
    index += 1;
    for (const op of ops) {
      if (op.verb === "set" || op.verb === "cas") write(op.key, op.value);
      else if (op.verb === "delete" || op.verb === "delete-cas") entries.delete(op.key);
    }
    commits.push(ops);
    changed();
    return { applied: true, index: String(index) };
  }

  const kv: MemoryKv = {
    limits: { operations: 127, bodyBytes: 512 * 1024, valueBytes: 512 * 1024, ...limits },
    commits,
    fault: undefined,
    set(key, value) {
      index += 1;
      write(key, Buffer.from(value as Uint8Array));
      changed();
    },
    unset(key) {
      index += 1;
      entries.delete(key);
      changed();
    },
    dump(prefix = "") {
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix)).sort();
      return Object.fromEntries(
        keys.map((key) => [key, Buffer.from(entries.get(key)?.value ?? []).toString()]),
      );
    },
    expire(fence) {
      const holder = holders.get(fence.key);
      if (holder?.session !== fence.session) return;
      holders.delete(fence.key);
      holder.controller.abort(new SluiceError("LOCK_LOST", `the lock ${fence.key} was lost`));
      changed();
    },
    get: (key) => call("get", () => entries.get(key)),
    getMany: (keys) =>
      call(
        "getMany",
        () => new Map(keys.flatMap((key) => (entries.has(key) ? [[key, entries.get(key) as KvEntry]] : []))),
      ),
    list: (prefix) =>
      call("list", () =>
        [...entries.values()]
          .filter((one) => one.key.startsWith(prefix))
          .sort((a, b) => (a.key < b.key ? -1 : 1)),
      ),
    commit: (ops, options) => call("commit", () => commit(ops, options?.fence)),
    putLarge: (key, value, at) =>
      call("putLarge", () => commit([{ verb: "cas", key, value, index: at }], undefined).applied),
    watch: (key, options) => watchKey(() => entries.get(key), watchers, options.signal),
    async lock(key, _options, signal) {
      while (holders.has(key)) await nextChange(watchers, signal);
      signal.throwIfAborted();
      sessions += 1;
      const fence = { key, session: `session-${sessions}` };
      const controller = new AbortController();
      holders.set(key, { session: fence.session, controller });
      const lock: KvLock = { fence, lost: controller.signal, release: async () => kv.expire(fence) };
      return lock;
    },
  };
  return kv;
}

function objection(op: KvOp, now: KvEntry | undefined): string | undefined {
  const at = now?.modifyIndex ?? "0";
  if (op.verb === "cas" && op.index !== at) return `the key ${op.key} is at ${at}, not ${op.index}`;
  if (op.verb === "check-index" && op.index !== at) return `the key ${op.key} is at ${at}, not ${op.index}`;
  if (op.verb === "delete-cas" && now && op.index !== at)
    return `the key ${op.key} is at ${at}, not ${op.index}`;
  if (op.verb === "check-not-exists" && now) return `the key ${op.key} exists`;
  return undefined;
}

async function* watchKey(
  read: () => KvEntry | undefined,
  watchers: Set<() => void>,
  signal: AbortSignal,
): AsyncIterable<KvEntry | undefined> {
  let seen: string | null = null;
  while (!signal.aborted) {
    const entry = read();
    const state = entry?.modifyIndex ?? "";
    if (state !== seen) {
      seen = state;
      yield entry;
    } else await nextChange(watchers, signal).catch(() => undefined);
  }
}

function nextChange(watchers: Set<() => void>, signal: AbortSignal): Promise<void> {
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
