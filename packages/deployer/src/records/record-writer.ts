import { type Clock, isSluiceError, type Kv, type KvFence, type KvOp, SluiceError } from "@sluice/core";

/** The value of a key when its turn comes; undefined deletes it. Asked as late as possible, so that many puts are one encoding. */
export type LateValue = () => Uint8Array | undefined;

/**
 * Writes records under the leader's fence: at most one commit is under way, everything put meanwhile goes with the next, and a
 * key put twice is written once. What a failed commit held stays pending, newest value first, and goes with the next one.
 */
export interface RecordWriter {
  /** Puts a value in line. @param committed told once it is in the KV, a coalesced put's included. */
  put(key: string, value: LateValue, committed?: () => void): void;
  /** Resolves once nothing of the key is on its way; rejects with the failure of the commit it was in. */
  written(key: string): Promise<void>;
  /** Resolves once nothing is on its way. */
  flush(): Promise<void>;
  /** Resolves where a commit under the fence proved, at most a second ago, that we still lead. @throws LOCK_LOST. */
  prove(): Promise<void>;
}

export interface RecordWriterOptions {
  readonly kv: Kv;
  readonly fence: KvFence;
  readonly clock: Clock;
  /** Told as soon as a commit says that the lock is not ours any more. */
  readonly onLost: () => void;
}

interface Entry {
  value: LateValue;
  committed: (() => void)[];
  waiters: { resolve(): void; reject(error: unknown): void }[];
}

type Batch = readonly (readonly [key: string, entry: Entry, op: KvOp])[];

const PROOF_MS = 1_000;
/** What JSON and the verb take up beside key and value in a request's body. */
const OP_OVERHEAD_BYTES = 120;

export function recordWriter({ kv, fence, clock, onLost }: RecordWriterOptions): RecordWriter {
  const pending = new Map<string, Entry>();
  let flying: ReadonlyMap<string, Entry> = new Map();
  let draining: Promise<void> | undefined;
  let proving: Promise<void> | undefined;
  let provenAt = Number.NEGATIVE_INFINITY;

  function drain(): Promise<void> {
    draining ??= drainAll();
    return draining;
  }

  async function drainAll() {
    try {
      while (pending.size > 0) {
        // Everything that is put in this turn of the event loop goes together.
        await new Promise((resolve) => setImmediate(resolve));
        await writeBatch(takeBatch(pending, kv));
      }
    } finally {
      // In the same turn as the last look at `pending`: what is put after it starts a new drain.
      draining = undefined;
    }
  }

  async function writeBatch(batch: Batch) {
    flying = new Map(batch.map(([key, entry]) => [key, entry]));
    try {
      await commit(batch.map(([, , op]) => op));
    } catch (error) {
      putBack(batch, pending);
      rejectAll(pending, error);
      throw error;
    } finally {
      flying = new Map();
    }
    for (const [, { committed, waiters }] of batch) {
      for (const tell of committed) tell();
      for (const waiter of waiters) waiter.resolve();
    }
  }

  async function commit(ops: readonly KvOp[]) {
    const startedAt = clock.now();
    try {
      const answer = await kv.commit(ops, { fence });
      if (!answer.applied) throw new SluiceError("INTERNAL", "the KV refused a write that has no condition");
      provenAt = startedAt;
    } catch (error) {
      if (isSluiceError(error, "LOCK_LOST")) onLost();
      throw error;
    }
  }

  return {
    put(key, value, committed) {
      const entry = pending.get(key) ?? { value, committed: [], waiters: [] };
      entry.value = value;
      if (committed) entry.committed.push(committed);
      pending.set(key, entry);
      // A failure is met again, and then heeded, by whoever waits or flushes.
      drain().catch(() => undefined);
    },
    written(key) {
      const entry = pending.get(key) ?? flying.get(key);
      if (!entry) return Promise.resolve();
      return new Promise((resolve, reject) => {
        entry.waiters.push({ resolve, reject });
        drain().catch(() => undefined);
      });
    },
    async flush() {
      while (pending.size > 0 || draining !== undefined) await drain();
    },
    async prove() {
      const age = clock.now() - provenAt;
      if (age >= 0 && age <= PROOF_MS) return;
      proving ??= commit([]).finally(() => {
        proving = undefined;
      });
      await proving;
    },
  };
}

/** As much as one commit may hold, oldest first. */
function takeBatch(pending: Map<string, Entry>, { limits }: Kv): Batch {
  const batch: [string, Entry, KvOp][] = [];
  let bytes = 0;
  for (const [key, entry] of pending) {
    const value = entry.value();
    const size = key.length + OP_OVERHEAD_BYTES + Math.ceil(((value?.byteLength ?? 0) * 4) / 3);
    if (batch.length > 0 && (batch.length >= limits.operations || bytes + size > limits.bodyBytes)) break;
    bytes += size;
    batch.push([key, entry, value ? { verb: "set", key, value } : { verb: "delete", key }]);
    pending.delete(key);
  }
  return batch;
}

/** A value that was put since then is newer and stays. */
function putBack(batch: Batch, pending: Map<string, Entry>): void {
  for (const [key, old] of batch) {
    const newer = pending.get(key);
    if (!newer) pending.set(key, old);
    else {
      newer.committed.unshift(...old.committed);
      newer.waiters.unshift(...old.waiters);
    }
  }
}

function rejectAll(pending: ReadonlyMap<string, Entry>, error: unknown): void {
  for (const entry of pending.values()) for (const waiter of entry.waiters.splice(0)) waiter.reject(error);
}
