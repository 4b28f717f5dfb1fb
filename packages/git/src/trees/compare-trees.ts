import {
  displayPath,
  encodePath,
  type FilePath,
  type ObjectId,
  SluiceError,
  type TreeChange,
  type TreeFile,
} from "@sluice/core";
import type { SourceLimits } from "../limits.ts";
import type { TreeEntry } from "./parse-tree.ts";
import type { TreeStore } from "./tree-store.ts";

/** Two folders at one place; an undefined side does not exist there. */
interface Pair {
  /** Encoded, "" or ending with a slash. */
  readonly prefix: string;
  readonly depth: number;
  readonly from: ObjectId | undefined;
  readonly to: ObjectId | undefined;
}

/** How many pairs are read at a time: enough to keep git busy, few enough to bound memory. */
const AT_ONCE = 64;

/** What is compared, and how much of it at most. */
export interface Comparison {
  readonly from: ObjectId | undefined;
  readonly to: ObjectId | undefined;
  readonly limits: Pick<SourceLimits, "maxFiles" | "maxDepth">;
}

/**
 * Every path that differs between two trees. Folders with the same id are never opened, so the cost follows the difference.
 * @throws PATH_UNSAFE naming the path, LIMIT_EXCEEDED naming the limit, GIT_OBJECT_MISSING, GIT_FAILED.
 */
export async function compareTrees(
  store: TreeStore,
  { from, to, limits }: Comparison,
  signal?: AbortSignal,
): Promise<TreeChange[]> {
  const changes: TreeChange[] = [];
  const open: Pair[] = from === to ? [] : [{ prefix: "", depth: 0, from, to }];
  const count = counter(limits);
  while (open.length > 0) {
    signal?.throwIfAborted();
    const batch = open.splice(-AT_ONCE);
    for (const pair of batch) count.folder(pair);
    const read = await Promise.all(
      batch.map(async (pair) => ({ pair, ...(await entriesOf(pair, store, signal)) })),
    );
    for (const { pair, before, after } of read)
      mergeInOrder(before, after, (left, right) => {
        if (right) count.file(right);
        note(pair, left, right, changes, open);
      });
  }
  return changes;
}

async function entriesOf({ prefix, from, to }: Pair, store: TreeStore, signal: AbortSignal | undefined) {
  const folder = displayPath(prefix as FilePath);
  return {
    before: from ? await store.entries(from, folder, signal) : [],
    after: to ? await store.entries(to, folder, signal) : [],
  };
}

/** A tree may name one folder again and again, so that a handful of objects are more files than there is room for. */
function counter({ maxFiles, maxDepth }: Comparison["limits"]) {
  let files = 0;
  let folders = 0;
  const exceeded = (what: string) => new SluiceError("LIMIT_EXCEEDED", `the repository has ${what}`);
  return {
    file(entry: TreeEntry) {
      if (entry.kind !== "tree" && ++files > maxFiles)
        throw exceeded(`more than ${maxFiles} files (limits.maxFiles)`);
    },
    folder({ prefix, depth, to }: Pair) {
      if (!to) return;
      if (++folders > maxFiles) throw exceeded(`more than ${maxFiles} folders (limits.maxFiles)`);
      if (depth > maxDepth)
        throw exceeded(`folders nested deeper than ${maxDepth} (limits.maxDepth): ${prefix.slice(0, 100)}…`);
    },
  };
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
  { prefix, depth }: Pair,
  before: TreeEntry | undefined,
  after: TreeEntry | undefined,
  changes: TreeChange[],
  open: Pair[],
): void {
  const either = after ?? before;
  if (!either) return;
  const path = pathOf(prefix, either);
  if (either.kind === "tree")
    return void open.push({ prefix: `${path}/`, depth: depth + 1, from: before?.oid, to: after?.oid });
  const to = after && fileOf(path, after);
  const from = before && fileOf(path, before);
  if (to) changes.push(from ? { path, from, to } : { path, to });
  else if (from) changes.push({ path, from });
}

/** Names that are their own encoding. */
const PLAIN = /^[A-Za-z0-9._-]+$/;

function pathOf(prefix: string, entry: TreeEntry): FilePath {
  const { name } = entry;
  if (name === "" || name === "." || name === ".." || name.includes("/"))
    throw unsafe(`${prefix}${name}`, 'it has an empty, ".", ".." or slashed segment');
  // Most names need no encoding, and telling that takes a tenth of encoding them.
  return `${prefix}${PLAIN.test(name) ? name : encodePath(Buffer.from(name, "latin1"))}` as FilePath;
}

function fileOf(path: FilePath, entry: TreeEntry): TreeFile {
  if (entry.kind === "tree" || entry.kind === "unknown")
    throw unsafe(path, "its mode is none that Git knows");
  return { path, oid: entry.oid, kind: entry.kind };
}

function unsafe(path: string, why: string): SluiceError {
  return new SluiceError("PATH_UNSAFE", `the path ${JSON.stringify(path)} cannot be mirrored: ${why}`);
}
