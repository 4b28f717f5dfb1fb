import {
  type ChangesRecord,
  type CommitId,
  decodeRecord,
  type KvEntry,
  type KvOp,
  parseRevision,
  type RevisionMarker,
} from "@sluice/core";
import type { Pass, Work } from "./pass.ts";

/** Learns which `changes/` records there are, newest first: each names the one before it, starting from the marker. */
export async function readHistory(
  pass: Pass,
  marker: RevisionMarker | undefined,
  signal: AbortSignal,
): Promise<CommitId[]> {
  const { kv, layout } = pass.settings;
  const entries = await kv.list(layout.changes, signal);
  const there = new Map<CommitId, KvEntry>();
  for (const entry of entries) {
    const commit = entry.key.slice(layout.changes.length);
    if (/^[0-9a-f]{40}$/.test(commit)) there.set(commit as CommitId, entry);
  }
  const chain: CommitId[] = [];
  for (let next = marker?.revision; next; ) {
    const { commit } = parseRevision(next);
    const entry = there.get(commit);
    if (!entry) break;
    there.delete(commit);
    chain.push(commit);
    next = recordIn(entry)?.previous;
  }
  return [...chain, ...there.keys()];
}

/** Deletes the oldest records beyond the limit, `room` of them at most; the rest waits for the next revision. */
export function tidyOps({ settings }: Pass, work: Work, room: number): KvOp[] {
  const older = work.history.filter((commit) => commit !== work.commit);
  const surplus = older.slice(Math.max(0, settings.keepChanges - 1));
  return surplus
    .slice(Math.max(0, surplus.length - room))
    .map((commit) => ({ verb: "delete", key: settings.layout.change(commit) }));
}

/** The history after these operations made a revision whole. */
export function historyAfter({ settings }: Pass, work: Work, final: readonly KvOp[]): CommitId[] {
  const touched = new Set(final.map((op) => op.key));
  const rest = work.history.filter((commit) => !touched.has(settings.layout.change(commit)));
  return work.record ? [work.commit, ...rest] : [...work.history];
}

function recordIn(entry: KvEntry): ChangesRecord | undefined {
  try {
    const record = decodeRecord("changes", entry);
    if (record.previous !== undefined) parseRevision(record.previous);
    return record;
  } catch {
    return undefined;
  }
}
