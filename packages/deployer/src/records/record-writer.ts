import { type Clock, isSluiceError, type Kv, type KvFence, type KvOp, SluiceError } from "@sluice/core";
import { type Batch, type Entry, type LateValue, waitingLine } from "./waiting-line.ts";

/**
 * Writes records under the leader's fence: at most one commit is under way, everything put meanwhile goes with the next, and a
 * key put twice is written once. What comes after a quiet moment is written at once; what follows waits a little, so that a
 * job that is sent, starts and is healthy within a moment is one write, unless somebody waits for it. What a failed commit
 * held stays pending, newest value first, and goes with the next one.
 */
export interface RecordWriter {
  /**
   * Puts a value in line.
   * @param committed told once it is in the KV, a coalesced put's included.
   * @param patient written where there is room, or once there is nothing else to write.
   */
  put(key: string, value: LateValue, committed?: () => void, patient?: "patient"): void;
  /** Resolves once nothing of the key is on its way but what is patient, and hurries that; rejects with the failure of the commit it was in. */
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

const PROOF_MS = 1_000;
/** Records that nobody waits for rest this long between two rounds of commits, and longer where commits take long. */
const REST_MS = 250;
const MOST_REST_MS = 2_000;
const REST_SHARE = 4;

export function recordWriter({ kv, fence, clock, onLost }: RecordWriterOptions): RecordWriter {
  const line = waitingLine();
  let flying: ReadonlyMap<string, Entry> = new Map();
  let draining: Promise<void> | undefined;
  let flushes = 0;
  let proving: Promise<void> | undefined;
  let provenAt = Number.NEGATIVE_INFINITY;
  let restUntil = Number.NEGATIVE_INFINITY;
  let resting: AbortController | undefined;

  function drain(): Promise<void> {
    draining ??= drainAll();
    return draining;
  }

  async function drainAll() {
    try {
      while (line.size() > 0) {
        // Everything that is put in this turn of the event loop goes together.
        await new Promise((resolve) => setImmediate(resolve));
        if (flushes === 0 && !line.hurried()) await rest();
        if (line.hurried()) await writeBatch(line.take(kv.limits));
        else await writeRound();
      }
    } finally {
      // In the same turn as the last look at the line: what is put after it starts a new drain.
      draining = undefined;
    }
  }

  async function rest() {
    resting = new AbortController();
    await clock.sleep(Math.max(0, restUntil - clock.now()), resting.signal);
    resting = undefined;
  }

  /** Everything that is in line now; of what is patient, what finds room, or all of it where there is nothing else. */
  async function writeRound() {
    const startedAt = clock.now();
    let left = line.pendingSize() || line.size();
    if (flushes > 0) left = line.size();
    try {
      while (left > 0) {
        const batch = line.take(kv.limits);
        left -= batch.length;
        await writeBatch(batch);
      }
    } finally {
      const took = clock.now() - startedAt;
      restUntil = clock.now() + Math.min(MOST_REST_MS, Math.max(REST_MS, took * REST_SHARE));
    }
  }

  async function writeBatch(batch: Batch) {
    flying = new Map(batch.map(([key, entry]) => [key, entry]));
    try {
      await commit(batch.map(([, , op]) => op));
    } catch (error) {
      line.putBack(batch);
      line.rejectAll(error);
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
    put(key, value, committed, patient) {
      line.put(key, { value, committed: committed ? [committed] : [], waiters: [] }, patient !== undefined);
      // A failure is met again, and then heeded, by whoever waits or flushes.
      drain().catch(() => undefined);
    },
    written(key) {
      const entry = line.hurry(key) ?? flying.get(key);
      if (!entry) return Promise.resolve();
      return new Promise((resolve, reject) => {
        entry.waiters.push({ resolve, reject });
        resting?.abort();
        drain().catch(() => undefined);
      });
    },
    async flush() {
      flushes += 1;
      resting?.abort();
      try {
        while (line.size() > 0 || draining !== undefined) await drain();
      } finally {
        flushes -= 1;
      }
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
