import type { CommitId, FilePath, ObjectId, Problem, Source, TreeChange, TreeFile } from "@sluice/core";
import type { Expansions } from "./expansions.ts";
import { keyOfPath } from "./key-name.ts";
import { type Presented, type PresentedFile, present, sameKey } from "./presented.ts";
import { refusedRevision } from "./refused-revision.ts";
import type { ExpandRules } from "./rules.ts";

export interface SnapshotContext {
  readonly source: Source;
  readonly rules: ExpandRules;
  readonly expansions: Expansions;
  /** Where the common properties are. */
  readonly common: FilePath | undefined;
}

/** Every key of a commit. `keys` moves along with the commit when the next one is near. */
export interface Snapshot {
  readonly commit: CommitId;
  readonly keys: Map<FilePath, PresentedFile>;
  /** The common properties. */
  readonly variables: ObjectId | undefined;
}

/**
 * @param options.strict false: files that cannot be expanded have no keys, and of two files with one key the first has it.
 * @throws FILE_INVALID where strict.
 */
export async function wholeSnapshot(
  context: SnapshotContext,
  commit: CommitId,
  tree: readonly TreeFile[],
  { strict, signal }: { readonly strict: boolean; readonly signal: AbortSignal | undefined },
): Promise<Snapshot> {
  const variables = tree.find(({ path, kind }) => path === context.common && kind === "file")?.oid;
  // In one order, so that it does not matter how the commit was reached.
  const sorted = [...tree].sort((one, other) => (one.path < other.path ? -1 : 1));
  const presented = await present(sorted, variables, context, signal);
  const keys = new Map<FilePath, PresentedFile>();
  const problems: Problem[] = [...presented.problems];
  for (const file of presented.files) {
    const other = keys.get(file.path);
    if (other) problems.push(sameKey(file, other.source, keyOfPath(file.path)));
    else keys.set(file.path, file);
  }
  if (strict && problems.length > 0) throw refusedRevision(problems);
  return { commit, keys, variables };
}

/**
 * What differs between the keys of two commits.
 * @param request.known the snapshot the last answer left: where it is of `from`, only what changed is expanded, and it is
 *   moved to `to`.
 * @throws FILE_INVALID for what is wrong with `to`; `known` then stays as it is.
 */
export async function changedKeys(
  context: SnapshotContext,
  request: { readonly from: CommitId; readonly to: CommitId; readonly known: Snapshot | undefined },
  signal: AbortSignal | undefined,
): Promise<{ changes: readonly TreeChange[]; snapshot: Snapshot }> {
  const { from, to, known } = request;
  const differences = await context.source.changes(from, to, signal);
  const others = differences
    .filter(({ from: before, to: after }) => isOdd(before) || isOdd(after))
    .map(oddSides);
  const commonMoved = differences.some(({ path }) => path === context.common);
  if (known?.commit === from && !commonMoved) {
    const { changes, snapshot } = await moved(context, known, { to, differences }, signal);
    return { changes: [...changes, ...others], snapshot };
  }
  const { source } = context;
  const older = await wholeSnapshot(context, from, await source.tree(from, signal), {
    strict: false,
    signal,
  });
  const snapshot = await wholeSnapshot(context, to, await source.tree(to, signal), { strict: true, signal });
  return { changes: [...difference(older.keys, snapshot.keys), ...others], snapshot };
}

async function moved(
  context: SnapshotContext,
  known: Snapshot,
  { to, differences }: { readonly to: CommitId; readonly differences: readonly TreeChange[] },
  signal: AbortSignal | undefined,
): Promise<{ changes: readonly TreeChange[]; snapshot: Snapshot }> {
  const sides = (side: "from" | "to") => differences.flatMap((one) => one[side] ?? []);
  const before = await present(sides("from"), known.variables, context, signal);
  const after = await present(sides("to"), known.variables, context, signal);
  const changed = new Set(differences.map(({ path }) => path));
  const old = new Map(before.files.filter((file) => isOf(known, file)).map((file) => [file.path, file]));
  const next = new Map(after.files.map((file) => [file.path, file]));
  const problems = [...after.problems, ...collisions(known, after, changed)];
  if (problems.length > 0) throw refusedRevision(problems);
  for (const path of old.keys()) known.keys.delete(path);
  for (const [path, file] of next) known.keys.set(path, file);
  return { changes: difference(old, next), snapshot: { ...known, commit: to } };
}

/** True where the snapshot has this key from this file. */
function isOf({ keys }: Snapshot, { path, source }: PresentedFile): boolean {
  return keys.get(path)?.source === source;
}

function collisions(known: Snapshot, { files }: Presented, changed: ReadonlySet<FilePath>): Problem[] {
  const taken = new Map<FilePath, PresentedFile>();
  return files.flatMap((file) => {
    const there = known.keys.get(file.path);
    const other = taken.get(file.path) ?? (there && !changed.has(there.source) ? there : undefined);
    taken.set(file.path, file);
    return other ? [sameKey(file, other.source, keyOfPath(file.path))] : [];
  });
}

function difference(
  from: ReadonlyMap<FilePath, PresentedFile>,
  to: ReadonlyMap<FilePath, PresentedFile>,
): TreeChange[] {
  const changes: TreeChange[] = [];
  for (const [path, file] of from) {
    const after = to.get(path);
    if (!after) changes.push({ path, from: plain(file) });
    else if (after.oid !== file.oid) changes.push({ path, from: plain(file), to: plain(after) });
  }
  for (const [path, file] of to) if (!from.has(path)) changes.push({ path, to: plain(file) });
  return changes;
}

function plain({ path, oid }: PresentedFile): TreeFile {
  return { path, oid, kind: "file" };
}

/** True for what is no plain file: it becomes no key, and is only told. */
function isOdd(file: TreeFile | undefined): boolean {
  return file !== undefined && file.kind !== "file";
}

function oddSides({ path, from, to }: TreeChange): TreeChange {
  return { path, ...(from && isOdd(from) ? { from } : {}), ...(to && isOdd(to) ? { to } : {}) };
}
