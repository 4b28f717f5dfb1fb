import {
  encodePath,
  type FilePath,
  type ObjectId,
  SluiceError,
  type TreeChange,
  type TreeFile,
} from "@sluice/core";
import type { TreeEntry } from "./parse-tree.ts";
import type { TreeStore } from "./tree-store.ts";

/** Two folders at one place; an undefined side does not exist there. */
interface Pair {
  /** Encoded, "" or ending with a slash. */
  readonly prefix: string;
  readonly from: ObjectId | undefined;
  readonly to: ObjectId | undefined;
}

/** How many pairs are read at a time: enough to keep git busy, few enough to bound memory. */
const AT_ONCE = 64;

/**
 * Every path that differs between two trees. Folders with the same id are never opened, so the cost follows the difference.
 * @throws PATH_UNSAFE naming the path, GIT_OBJECT_MISSING, GIT_FAILED.
 */
export async function compareTrees(
  store: TreeStore,
  sides: { readonly from: ObjectId | undefined; readonly to: ObjectId | undefined },
  signal?: AbortSignal,
): Promise<TreeChange[]> {
  const changes: TreeChange[] = [];
  const open: Pair[] = sides.from === sides.to ? [] : [{ prefix: "", ...sides }];
  while (open.length > 0) {
    signal?.throwIfAborted();
    const batch = open.splice(-AT_ONCE);
    const read = await Promise.all(
      batch.map(async ({ prefix, from, to }) => ({
        prefix,
        from: from ? await store.entries(from, signal) : [],
        to: to ? await store.entries(to, signal) : [],
      })),
    );
    for (const { prefix, from, to } of read)
      mergeInOrder(from, to, (before, after) => note(prefix, before, after, changes, open));
  }
  return changes;
}

/** Calls back for each entry that differs, walking both lists once. */
function mergeInOrder(
  from: readonly TreeEntry[],
  to: readonly TreeEntry[],
  differ: (before: TreeEntry | undefined, after: TreeEntry | undefined) => void,
): void {
  let left = 0;
  let right = 0;
  while (left < from.length || right < to.length) {
    const before = from[left];
    const after = to[right];
    if (after === undefined || (before !== undefined && before.order < after.order)) {
      differ(before, undefined);
      left += 1;
    } else if (before === undefined || after.order < before.order) {
      differ(undefined, after);
      right += 1;
    } else {
      if (before.oid !== after.oid || before.kind !== after.kind) differ(before, after);
      left += 1;
      right += 1;
    }
  }
}

function note(
  prefix: string,
  before: TreeEntry | undefined,
  after: TreeEntry | undefined,
  changes: TreeChange[],
  open: Pair[],
): void {
  const either = after ?? before;
  if (!either) return;
  const path = pathOf(prefix, either);
  if (either.kind === "tree")
    return void open.push({ prefix: `${path}/`, from: before?.oid, to: after?.oid });
  changes.push({
    path,
    ...(before ? { from: fileOf(path, before) } : {}),
    ...(after ? { to: fileOf(path, after) } : {}),
  });
}

function pathOf(prefix: string, entry: TreeEntry): FilePath {
  const { name } = entry;
  if (name === "" || name === "." || name === ".." || name.includes("/"))
    throw unsafe(`${prefix}${name}`, 'it has an empty, ".", ".." or slashed segment');
  return `${prefix}${encodePath(Buffer.from(name, "latin1"))}` as FilePath;
}

function fileOf(path: FilePath, entry: TreeEntry): TreeFile {
  if (entry.kind === "tree" || entry.kind === "unknown")
    throw unsafe(path, "its mode is none that Git knows");
  return { path, oid: entry.oid, kind: entry.kind };
}

function unsafe(path: string, why: string): SluiceError {
  return new SluiceError("PATH_UNSAFE", `the path ${JSON.stringify(path)} cannot be mirrored: ${why}`);
}
