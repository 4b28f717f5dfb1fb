import {
  blobId,
  type CommitId,
  EMPTY_DIGEST,
  type FileChange,
  type FilePath,
  type KvEntry,
  type ObjectId,
  parseRevision,
  type Revision,
  type RevisionMarker,
  revisionOf,
  type TreeFile,
  toggleFiles,
} from "@sluice/core";
import { scheduleAudit } from "./audit.ts";
import { changesRecord } from "./changes-record.ts";
import { sharedEntries } from "./claims.ts";
import { changesOrNone, fileChanges, mirrored } from "./compare-changes.ts";
import { tellChecked } from "./conclude.ts";
import { readHistory } from "./history.ts";
import { nextMarker } from "./next-marker.ts";
import type { MarkerState, Pass, Put, Removal } from "./pass.ts";
import { sameSkipped, skippedIn, tellSkipped } from "./skipped.ts";
import { wholeBefore } from "./whole-before.ts";

/** Every file of the commit against every key under `files/`. Finds what crashes, other hands and lost answers left behind. */
export async function compareWhole(pass: Pass, signal: AbortSignal): Promise<void> {
  const { kv, source } = pass.settings;
  const commit = pass.target as CommitId;
  const was = pass.marker as MarkerState;
  const [{ keys, tree }, history] = await Promise.all([
    lookAtBoth(pass, commit, signal),
    pass.memory.known?.history ?? readHistory(pass, was.record, signal),
  ]);
  tellSkipped(pass, tree);
  const files = mirrored(tree);
  const { puts, removals, indexes } = difference(files, keys);
  const base = wholeBefore(was.record);
  const same = base === revisionOf(source.branch, commit);
  const previous = same && was.record?.state === "synced" ? was.record.previous : base;
  const marker = markerOf(pass, previous, tree, files);
  if (puts.length + removals.length === 0 && says(was.record, marker)) {
    scheduleAudit(pass);
    pass.memory.known = { commit, indexes, history, marker: { ...was, record: was.record } };
    tellChecked(pass, was.record);
    return;
  }
  const changes = same ? [] : await changesSince(pass, base, files, signal);
  const extra = touched(puts, removals, changes);
  const repaired = base === undefined ? 0 : extra.length || (same ? 1 : 0);
  const record = same
    ? undefined
    : changesRecord(kv, marker, changes && [...changes, ...extra], await source.describe(commit, signal));
  pass.work = { commit, marker, puts, removals, record, indexes, history, repaired, whole: true };
}

/** The keys of the files' part of the KV, and the commit's tree. */
async function lookAtBoth(pass: Pass, commit: CommitId, signal: AbortSignal) {
  const { ahead, kv, layout, shared } = pass.settings;
  if (!shared) {
    const listed = kv.list(layout.files, signal, (entry) => keySeen(entry, layout.files));
    const [keys, tree] = await Promise.all([listed, ahead.tree(commit, signal)]);
    return { keys, tree };
  }
  const tree = await ahead.tree(commit, signal);
  const entries = await sharedEntries(pass, shared, mirrored(tree), signal);
  return { keys: entries.map((entry) => keySeen(entry, layout.files)), tree };
}

/** What a comparison needs of a key: its value's id stands for its value. */
interface KeySeen {
  readonly path: FilePath;
  readonly oid: ObjectId;
  readonly index: string;
}

function keySeen({ key, value, modifyIndex }: KvEntry, prefix: string): KeySeen {
  return { path: key.slice(prefix.length) as FilePath, oid: blobId(value), index: modifyIndex };
}

/** The marker of a tree, once it is whole. */
export function markerOf(
  pass: Pass,
  previous: Revision | undefined,
  tree: readonly TreeFile[],
  files: readonly TreeFile[],
): RevisionMarker {
  const digest = toggleFiles(EMPTY_DIGEST, files);
  return nextMarker(pass, previous, { files: files.length, digest, ...skippedIn(tree) });
}

/** True where the marker in the KV already says what it shall say, its time aside. */
export function says(now: RevisionMarker | undefined, wanted: RevisionMarker): now is RevisionMarker {
  return (
    now?.state === "synced" &&
    now.revision === wanted.revision &&
    now.files === wanted.files &&
    now.digest === wanted.digest &&
    sameSkipped(now, wanted)
  );
}

function difference(files: readonly TreeFile[], keys: readonly KeySeen[]) {
  const puts: Put[] = [];
  const removals: Removal[] = [];
  const indexes = new Map<FilePath, string>();
  const wanted = new Map(files.map((file) => [file.path, file]));
  for (const { path, oid, index } of keys) {
    indexes.set(path, index);
    const file = wanted.get(path);
    if (!file) removals.push({ path, index });
    else if (oid !== file.oid) puts.push({ path, oid: file.oid, index });
    wanted.delete(path);
  }
  for (const { path, oid } of wanted.values()) puts.push({ path, oid, index: "0" });
  return { puts, removals, indexes };
}

/** What the target changed against what readers saw last; undefined: not known. */
async function changesSince(
  pass: Pass,
  base: Revision | undefined,
  files: readonly TreeFile[],
  signal: AbortSignal,
): Promise<readonly FileChange[] | undefined> {
  if (base === undefined) return files.map(({ path, oid }) => ({ kind: "created", path, oid }));
  const from = parseRevision(base).commit;
  const differences = await changesOrNone(pass, from, pass.target as CommitId, signal);
  return differences && fileChanges(differences);
}

/** Writes that Git's history does not explain: someone else changed these keys, and readers must look at them too. */
function touched(
  puts: readonly Put[],
  removals: readonly Removal[],
  changes: readonly FileChange[] | undefined,
): FileChange[] {
  if (!changes) return [];
  const explained = new Set(changes.map((change) => change.path));
  const written = puts.filter(({ path }) => !explained.has(path));
  const removed = removals.filter(({ path }) => !explained.has(path));
  return [
    ...written.map(({ path, oid, index }): FileChange => {
      return { kind: index === "0" ? "created" : "updated", path, oid };
    }),
    ...removed.map(({ path }): FileChange => ({ kind: "deleted", path })),
  ];
}
