import type { ChangesRecord, CommitInfo, FileChange, Kv, RevisionMarker } from "@sluice/core";

/** The longest list of changes, in bytes; never more than a quarter of a transaction, so that a record always fits one. */
const LARGEST_LIST_BYTES = 100 * 1024;

/** @param changes undefined where they are not known. A list that is too long is left out: readers then read everything. */
export function changesRecord(
  { limits }: Kv,
  marker: RevisionMarker,
  changes: readonly FileChange[] | undefined,
  commit: CommitInfo,
): ChangesRecord {
  const { revision, previous } = marker;
  const most = Math.min(LARGEST_LIST_BYTES, limits.bodyBytes / 4);
  return { revision, previous, changes: changes && fits(changes, most) ? changes : undefined, commit };
}

function fits(changes: readonly FileChange[], most: number): boolean {
  // 45 is about the shortest an entry can be; a list far too long is not written out only to be measured.
  if (changes.length * 45 > most) return false;
  return Buffer.byteLength(JSON.stringify(changes)) <= most;
}
