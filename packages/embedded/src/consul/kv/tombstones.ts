import type { Clock } from "@sluice/core";
import { encodeIndex, type Store } from "../store/store.ts";
import type { Reader, Transaction } from "../store/transaction.ts";

/** Consul keeps tombstones this long … */
const LIFE_MS = 15 * 60_000;
/** … and looks for dead ones this often. */
const ROUND_MS = 30_000;

/** Marks that something at or under `prefix` was deleted, so the index of a list never falls because of it. */
export function bury(tx: Transaction, prefix: string): void {
  tx.put("tombstones", prefix, encodeIndex(tx.index()));
}

/** The latest deletion under the prefix; 0 if none is remembered. */
export function latestBurial(read: Reader, prefix: string): number {
  let latest = 0;
  for (const { value } of read.range("tombstones", prefix)) latest = Math.max(latest, value.readDoubleBE());
  return latest;
}

/**
 * Forgets tombstones once they are 15 minutes old, until `signal` aborts. After a start every tombstone counts as
 * new: its age is not kept on disk.
 */
export async function reapTombstones(
  store: Store,
  clock: Clock,
  currentIndex: () => number,
  signal: AbortSignal,
): Promise<void> {
  const rounds: { at: number; index: number }[] = [];
  while (!signal.aborted) {
    rounds.push({ at: clock.now(), index: currentIndex() });
    await clock.sleep(ROUND_MS, signal);
    const due = rounds.filter(({ at }) => at <= clock.now() - LIFE_MS).at(-1);
    if (signal.aborted || !due) continue;
    rounds.splice(0, rounds.indexOf(due) + 1);
    await store.write((tx) => {
      for (const { key, value } of tx.range("tombstones", "")) {
        if (value.readDoubleBE() <= due.index) tx.remove("tombstones", key);
      }
    });
  }
}
