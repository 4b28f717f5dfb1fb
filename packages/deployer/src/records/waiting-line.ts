import type { Kv, KvOp } from "@sluice/core";

/** The value of a key when its turn comes; undefined deletes it. Asked as late as possible, so that many puts are one encoding. */
export type LateValue = () => Uint8Array | undefined;

export interface Entry {
  value: LateValue;
  readonly committed: (() => void)[];
  readonly waiters: { resolve(): void; reject(error: unknown): void }[];
}

export type Batch = readonly (readonly [key: string, entry: Entry, op: KvOp])[];

/** Records on their way to the KV, each key once: those somebody waits for, then the pending ones, oldest first, then the patient ones. */
export interface WaitingLine {
  size(): number;
  /** Without those that are patient. */
  pendingSize(): number;
  /** Whether somebody waits for one. */
  hurried(): boolean;
  /** A key that is there keeps its place, unless somebody is to be told: they are told in the order of these calls. */
  put(key: string, entry: Entry, patient: boolean): void;
  /** Puts a key to the front. @returns its entry, where it is in the line and not a patient one. */
  hurry(key: string): Entry | undefined;
  /** Takes as much out of the line as one commit may hold. */
  take(limits: Kv["limits"]): Batch;
  /** A value that was put since then is newer and stays. */
  putBack(batch: Batch): void;
  rejectAll(error: unknown): void;
}

/** What JSON and the verb take up beside key and value in a request's body. */
const OP_OVERHEAD_BYTES = 120;

export function waitingLine(): WaitingLine {
  const awaited = new Map<string, Entry>();
  const pending = new Map<string, Entry>();
  const patient = new Map<string, Entry>();
  const all = [awaited, pending, patient];

  function placeOf(key: string): Map<string, Entry> | undefined {
    return all.find((one) => one.has(key));
  }

  return {
    size: () => awaited.size + pending.size + patient.size,
    pendingSize: () => awaited.size + pending.size,
    hurried: () => awaited.size > 0,
    put(key, entry, isPatient) {
      const place = placeOf(key);
      const known = place?.get(key);
      if (known) {
        known.value = entry.value;
        known.committed.push(...entry.committed);
        const stays = place === patient ? isPatient : place === awaited || entry.committed.length === 0;
        if (stays) return;
        place?.delete(key);
      }
      (isPatient && !known ? patient : pending).set(key, known ?? entry);
    },
    hurry(key) {
      const entry = pending.get(key);
      if (!entry) return awaited.get(key);
      pending.delete(key);
      awaited.set(key, entry);
      return entry;
    },
    take: (limits) => takeFrom(all, limits),
    putBack(batch) {
      for (const [key, old] of batch) {
        const newer = placeOf(key)?.get(key);
        if (!newer) pending.set(key, old);
        else {
          newer.committed.unshift(...old.committed);
          newer.waiters.unshift(...old.waiters);
        }
      }
    },
    rejectAll(error) {
      for (const [key, entry] of awaited) pending.set(key, entry);
      awaited.clear();
      for (const place of all)
        for (const { waiters } of place.values()) for (const one of waiters.splice(0)) one.reject(error);
    },
  };
}

function takeFrom(places: readonly Map<string, Entry>[], limits: Kv["limits"]): Batch {
  const batch: [string, Entry, KvOp][] = [];
  let bytes = 0;
  for (const place of places) {
    for (const [key, entry] of place) {
      const value = entry.value();
      const size = key.length + OP_OVERHEAD_BYTES + Math.ceil(((value?.byteLength ?? 0) * 4) / 3);
      const full = batch.length >= limits.operations || bytes + size > limits.bodyBytes;
      if (batch.length > 0 && full) return batch;
      bytes += size;
      batch.push([key, entry, value ? { verb: "set", key, value } : { verb: "delete", key }]);
      place.delete(key);
    }
  }
  return batch;
}
