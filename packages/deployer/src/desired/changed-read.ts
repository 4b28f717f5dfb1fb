import {
  blobId,
  type ChangesRecord,
  type DesiredFile,
  decodeRecord,
  type FileChange,
  type FilePath,
  type KvEntry,
  type ObjectId,
  parseRevision,
  type RevisionMarker,
  toggleFiles,
} from "@sluice/core";
import { POLICY_FILE } from "../policy/policy.ts";
import type { Term } from "../term.ts";
import { parseJobFile } from "./parse-file.ts";
import { sameSkipped } from "./skipped.ts";
import type { Patch, Tree } from "./tree.ts";
import { formatsOf } from "./whole-read.ts";

/** The mirror keeps the changes of this many revisions. */
const MOST_REVISIONS = 50;

/**
 * Reads only the files that changed since `tree`, following the records of changes back to it. Undefined where that does not
 * lead to exactly the marker's revision, for whatever reason: a gap, a change that is too large for a record, a new policy,
 * a file edited by hand. Then the whole is to be read.
 */
export async function readChanged(
  term: Term,
  tree: Tree,
  marker: RevisionMarker,
  signal: AbortSignal,
): Promise<Patch | undefined> {
  if (!sameSkipped(tree.marker, marker)) return undefined;
  const changes = await changesSince(term, tree, marker, signal);
  if (!changes || changes.has(POLICY_FILE)) return undefined;
  const contents = await readFiles(term, changes, signal);
  if (!contents || digestAfter(tree, changes) !== marker.digest) return undefined;
  const oids = new Map<FilePath, ObjectId | undefined>();
  const files = new Map<FilePath, DesiredFile | undefined>();
  const formats = formatsOf(term);
  for (const [path, change] of changes) {
    const bytes = contents.get(path);
    oids.set(path, change.kind === "deleted" ? undefined : change.oid);
    files.set(path, bytes && parseJobFile({ path, bytes }, tree.policy, formats));
  }
  return { marker, oids, files };
}

/** Every path that differs between `tree` and the marker's revision, with what it is now. */
async function changesSince(
  term: Term,
  tree: Tree,
  marker: RevisionMarker,
  signal: AbortSignal,
): Promise<Map<FilePath, FileChange> | undefined> {
  const merged = new Map<FilePath, FileChange>();
  let revision = marker.revision;
  for (let step = 0; step < MOST_REVISIONS; step++) {
    const entry = await term.options.kv.get(term.layout.change(parseRevision(revision).commit), signal);
    const record: ChangesRecord | undefined = entry && decodeRecord("changes", entry);
    if (!record?.changes || record.revision !== revision || record.previous === undefined) return undefined;
    for (const change of record.changes) if (!merged.has(change.path)) merged.set(change.path, change);
    if (record.previous === tree.marker.revision) return merged;
    revision = record.previous;
  }
  return undefined;
}

/** The bytes of what was created or updated; undefined where one is not what its record says. */
async function readFiles(
  term: Term,
  changes: ReadonlyMap<FilePath, FileChange>,
  signal: AbortSignal,
): Promise<Map<FilePath, Uint8Array> | undefined> {
  const written = [...changes.values()].filter((change) => change.kind !== "deleted");
  const keys = written.map((change) => term.layout.file(change.path));
  const found: ReadonlyMap<string, KvEntry> =
    keys.length === 0 ? new Map() : await term.options.kv.getMany(keys, signal);
  const contents = new Map<FilePath, Uint8Array>();
  for (const change of written) {
    const entry = found.get(term.layout.file(change.path));
    if (!entry || blobId(entry.value) !== change.oid) return undefined;
    contents.set(change.path, entry.value);
  }
  return contents;
}

function digestAfter(tree: Tree, changes: ReadonlyMap<FilePath, FileChange>): string {
  const toggled: { path: FilePath; oid: ObjectId }[] = [];
  for (const [path, change] of changes) {
    const before = tree.oids.get(path);
    if (before) toggled.push({ path, oid: before });
    if (change.kind !== "deleted" && change.oid) toggled.push({ path, oid: change.oid });
  }
  return toggleFiles(tree.marker.digest, toggled);
}
