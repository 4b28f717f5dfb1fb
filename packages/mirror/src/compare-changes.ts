import {
  type CommitId,
  type FileChange,
  type FilePath,
  isSluiceError,
  type TreeChange,
  type TreeFile,
  toggleFiles,
} from "@sluice/core";
import { changesRecord } from "./changes-record.ts";
import { nextMarker } from "./next-marker.ts";
import type { Known, Pass, Put, Removal } from "./pass.ts";
import { skippedAfter, skippedIn, tellSkipped } from "./skipped.ts";

/**
 * The fast way from one whole revision to the next: only what differs between the two commits is looked at.
 * @returns false where Git no longer has the older commit, so that everything must be compared.
 */
export async function compareChanges(pass: Pass, known: Known, signal: AbortSignal): Promise<boolean> {
  const { source } = pass.settings;
  const commit = pass.target as CommitId;
  const differences = await changesOrNone(pass, known.commit, commit, signal);
  if (differences === undefined) return false;
  tellSkipped(
    pass,
    differences.flatMap(({ to }) => (to ? [to] : [])),
  );
  const changes = fileChanges(differences);
  const indexes = await completeIndexes(pass, known.indexes, changes, signal);
  const old = known.marker.record;
  const fromFiles = mirrored(differences.map(({ from }) => from));
  const toFiles = mirrored(differences.map(({ to }) => to));
  const marker = nextMarker(pass, old.revision, {
    files: old.files + toFiles.length - fromFiles.length,
    digest: toggleFiles(old.digest, [...fromFiles, ...toFiles]),
    ...(skippedAfter(old, differences) ?? skippedIn(await source.tree(commit, signal))),
  });
  const puts: Put[] = [];
  const removals: Removal[] = [];
  for (const { path, oid } of changes) {
    if (oid) puts.push({ path, oid, index: indexes.get(path) ?? "0" });
    else if (indexes.has(path)) removals.push({ path, index: indexes.get(path) as string });
  }
  const record = changesRecord(pass.settings.kv, marker, changes, await source.describe(commit, signal));
  const { indexes: before, history } = known;
  pass.work = { commit, marker, puts, removals, record, indexes: before, history, repaired: 0, whole: false };
  return true;
}

/** What differs between two commits, or undefined where Git lacks the first. */
export async function changesOrNone(
  pass: Pass,
  from: CommitId,
  to: CommitId,
  signal: AbortSignal,
): Promise<readonly TreeChange[] | undefined> {
  try {
    return await pass.settings.source.changes(from, to, signal);
  } catch (error) {
    if (isSluiceError(error, "GIT_OBJECT_MISSING")) return undefined;
    throw error;
  }
}

/** The differences as readers of the KV see them: a symlink or a submodule is no file there. */
export function fileChanges(differences: readonly TreeChange[]): FileChange[] {
  return differences.flatMap(({ path, from, to }): FileChange[] => {
    const before = from?.kind === "file";
    if (to?.kind === "file") return [{ kind: before ? "updated" : "created", path, oid: to.oid }];
    return before ? [{ kind: "deleted", path }] : [];
  });
}

export function mirrored(files: readonly (TreeFile | undefined)[]): TreeFile[] {
  return files.filter((file): file is TreeFile => file?.kind === "file");
}

/** Indexes of the changes' keys that are there; those written past a transaction were never told to us and are asked for. */
async function completeIndexes(
  pass: Pass,
  indexes: ReadonlyMap<FilePath, string>,
  changes: readonly FileChange[],
  signal: AbortSignal,
): Promise<ReadonlyMap<FilePath, string>> {
  const { kv, layout } = pass.settings;
  const unknown = changes.filter(({ kind, path }) => kind !== "created" && !indexes.has(path));
  if (unknown.length === 0) return indexes;
  const keys = new Map(unknown.map(({ path }) => [layout.file(path), path]));
  const entries = await kv.getMany([...keys.keys()], signal);
  const complete = new Map<FilePath, string>();
  for (const { path } of changes) {
    const index = indexes.get(path);
    if (index !== undefined) complete.set(path, index);
  }
  for (const [key, entry] of entries) complete.set(keys.get(key) as FilePath, entry.modifyIndex);
  return complete;
}
