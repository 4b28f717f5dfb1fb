import {
  type Clock,
  decodeRecord,
  type Emit,
  encodeRecord,
  type InventoryEntry,
  isSluiceError,
  type JobKey,
  type JobResult,
  type JobStatus,
  type KvEntry,
  type KvLayout,
  type Reason,
  settle,
  transition,
} from "@sluice/core";
import type { RecordWriter } from "./record-writer.ts";

/** What the KV remembers of every job, held in memory by the one engine that leads, and written through. */
export interface JobRecords {
  readonly statuses: ReadonlyMap<JobKey, JobStatus>;
  readonly inventory: ReadonlyMap<JobKey, InventoryEntry>;
  /** Jobs whose last status is not one to rest at: the next pass looks at them again. */
  readonly unsettled: ReadonlySet<JobKey>;
  /** The one way a job's status changes: writes where it differs and emits where that is a transition. @param ms as in `job.changed`. */
  settle(result: JobResult, ms?: number): void;
  /** The same for a status that a moment later may be another: written where there is room, and told of if it still stands. */
  settlePatiently(result: JobResult): void;
  /** Writes an inventory entry where it differs. */
  record(entry: InventoryEntry): void;
  /** Deletes what is kept of a job. @param committed told once it is gone from the KV. */
  forget(key: JobKey, committed?: () => void): void;
  /** Resolves once the inventory entry of a job is in the KV, and its status unless that was settled patiently. */
  written(key: JobKey): Promise<void>;
}

export interface JobRecordsOptions {
  readonly layout: KvLayout;
  readonly writer: RecordWriter;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly statuses: readonly KvEntry[];
  readonly inventory: readonly KvEntry[];
  /** Who is to hear about a job; undefined where Git does not name the job, too. */
  readonly ownerOf: (key: JobKey) => { readonly owner: string | undefined } | undefined;
  /** Told whenever a status has changed. */
  readonly changed: (key: JobKey) => void;
}

const UNSETTLED: ReadonlySet<Reason> = new Set<Reason>([
  "Pending",
  "Progressing",
  "OutsideWindow",
  "DependencyNotReady",
  "Conflict",
  "Locked",
  "Unreachable",
  "Denied",
]);

export function jobRecords({
  layout,
  writer,
  emit,
  clock,
  changed,
  ownerOf,
  ...stored
}: JobRecordsOptions): JobRecords {
  // A record somebody overwrote by hand counts as absent: without its inventory entry a job is never removed, and both are
  // written anew with the next change.
  const statuses = decodeAll("status", stored.statuses);
  const inventory = decodeAll("inventory", stored.inventory);
  const unsettled = new Set<JobKey>();
  for (const status of statuses.values()) if (UNSETTLED.has(status.reason)) unsettled.add(status.key);

  function settleOne(result: JobResult, ms: number | undefined, patient?: "patient") {
    const old = statuses.get(result.key);
    const { owner } = ownerOf(result.key) ?? old ?? {};
    const now = settle(old, { ...result, owner }, new Date(clock.now()).toISOString());
    if (old && same(old, now)) return;
    statuses.set(now.key, now);
    if (UNSETTLED.has(now.reason)) unsettled.add(now.key);
    else unsettled.delete(now.key);
    changed(now.key);
    const event = transition(old, now, ms);
    const value = () => encoded(statuses.get(now.key));
    const tell = event && (() => (patient && statuses.get(now.key) !== now ? undefined : emit(event)));
    writer.put(layout.status(now.key), value, tell, patient);
  }

  return {
    statuses,
    inventory,
    unsettled,
    settle: settleOne,
    settlePatiently: (result) => settleOne(result, undefined, "patient"),
    record(entry) {
      const old = inventory.get(entry.key);
      if (old && same(old, entry)) return;
      inventory.set(entry.key, entry);
      writer.put(layout.inventory(entry.key), () => encoded(inventory.get(entry.key)));
    },
    forget(key, committed) {
      if (inventory.delete(key)) writer.put(layout.inventory(key), () => encoded(inventory.get(key)));
      unsettled.delete(key);
      const had = statuses.delete(key);
      if (had) changed(key);
      if (had || committed) writer.put(layout.status(key), () => encoded(statuses.get(key)), committed);
    },
    async written(key) {
      await Promise.all([writer.written(layout.status(key)), writer.written(layout.inventory(key))]);
    },
  };
}

function encoded(record: JobStatus | InventoryEntry | undefined): Uint8Array | undefined {
  return record && encodeRecord(record);
}

/** Members that are undefined are not written, so they are not compared. */
function same(a: object, b: object): boolean {
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
    if (left[name] !== right[name]) return false;
  return true;
}

function decodeAll(kind: "status", entries: readonly KvEntry[]): Map<JobKey, JobStatus>;
function decodeAll(kind: "inventory", entries: readonly KvEntry[]): Map<JobKey, InventoryEntry>;
function decodeAll(kind: "status" | "inventory", entries: readonly KvEntry[]) {
  const records = new Map<JobKey, JobStatus | InventoryEntry>();
  for (const entry of entries) {
    try {
      const record = decodeRecord(kind, entry);
      records.set(record.key, record);
    } catch (error) {
      if (!isSluiceError(error, "KV_RECORD_INVALID")) throw error;
    }
  }
  return records;
}
