import type { ChangesRecord, CommitInfo, FileChange, RevisionMarker } from "@sluice/core";

/** So that a record never keeps a commit from fitting one transaction on its own. */
const LARGEST_LIST_BYTES = 100 * 1024;

/** @param changes undefined where they are not known. A list that is too long is left out: readers then read everything. */
export function changesRecord(
  marker: RevisionMarker,
  changes: readonly FileChange[] | undefined,
  commit: CommitInfo,
): ChangesRecord {
  const { revision, previous } = marker;
  return { revision, previous, changes: changes && fits(changes) ? changes : undefined, commit };
}

function fits(changes: readonly FileChange[]): boolean {
  // 45 is about the shortest an entry can be; a list far too long is not written out only to be measured.
  if (changes.length * 45 > LARGEST_LIST_BYTES) return false;
  return Buffer.byteLength(JSON.stringify(changes)) <= LARGEST_LIST_BYTES;
}
