import type { CommitId } from "@sluice/core";
import {
  type FilePath,
  type KvEntry,
  type KvOp,
  OK,
  type Outcome,
  revisionOf,
  type TreeFile,
} from "@sluice/core";
import { changesOrNone } from "./compare-changes.ts";
import { commitFenced } from "./fenced-commit.ts";
import { bodyRoom, operationBytes } from "./operations.ts";
import type { Pass } from "./pass.ts";
import { wholeBefore } from "./whole-before.ts";

/**
 * Files whose paths are keys of the KV, among keys of others. Which of them are ours is remembered as a key each,
 * `<env>/claims/<key>`: claimed before it is written, let go of after it was deleted and the revision is whole. Only keys
 * that are claimed, or that a file of the commit has, are ever read, written or deleted.
 */
export interface SharedKeys {
  /** Where the claims are; ends with a slash. */
  readonly claims: string;
  /** The key in which git2consul kept the commit it had mirrored. */
  readonly ref?: string | undefined;
  /** Whether that key is moved along with the marker, for readers that wait for it. */
  readonly writeRef: boolean;
}

/** The keys among others that a comparison of everything looks at, under their paths. */
export async function sharedEntries(
  pass: Pass,
  shared: SharedKeys,
  files: readonly TreeFile[],
  signal: AbortSignal,
): Promise<readonly KvEntry[]> {
  const { kv, layout } = pass.settings;
  const claims = await kv.list(shared.claims, signal);
  const claimed = new Set(claims.map(({ key }) => key.slice(shared.claims.length) as FilePath));
  const wanted = new Set(files.map(({ path }) => path));
  const adopted = await adoptable(pass, shared, signal);
  const paths = new Map([...claimed, ...wanted, ...adopted].map((path) => [layout.file(path), path]));
  const found = await kv.getMany([...paths.keys()], signal);
  const entries = [...found].map(([key, entry]) => ({ ...entry, key: paths.get(key) as FilePath }));
  const there = new Set(entries.map(({ key }) => key));
  const fresh = [...wanted, ...adopted.filter((path) => there.has(path) && !wanted.has(path))];
  pass.unclaimed = fresh.filter((path) => !claimed.has(path));
  pass.surplus = [...claimed, ...pass.unclaimed].filter((path) => !wanted.has(path));
  pass.memory.claimed = claimed;
  return entries;
}

/**
 * Keys that git2consul wrote and had not deleted: those of the files that are gone since the commit its ref names. They are
 * only looked for while no revision was ever whole here.
 */
async function adoptable(pass: Pass, { ref }: SharedKeys, signal: AbortSignal): Promise<readonly FilePath[]> {
  if (ref === undefined || wholeBefore(pass.marker?.record) !== undefined) return [];
  const { kv, source, emit } = pass.settings;
  const target = pass.target as CommitId;
  const entry = await kv.get(ref, signal);
  const commit = entry ? Buffer.from(entry.value).toString("utf8").trim() : "";
  if (!/^[0-9a-f]{40}$/.test(commit)) return [];
  const changes = await changesOrNone(pass, commit as CommitId, target, signal);
  if (changes) return changes.flatMap(({ from }) => (from?.kind === "file" ? [from.path] : []));
  const why = `the repository has no commit ${commit}, so keys of files deleted since then are left alone`;
  emit({ type: "mirror.skipped", revision: revisionOf(source.branch, target), files: [ref], why });
  return [];
}

/** Claims what is about to be written, before anything of it is. */
export async function claim(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { memory, settings, work } = pass;
  const { shared } = settings;
  if (!shared || !memory.claimed) return OK;
  const { claimed } = memory;
  const fresh =
    pass.unclaimed ?? work?.puts.map(({ path }) => path).filter((path) => !claimed.has(path)) ?? [];
  const value = new Uint8Array();
  await commitAll(
    pass,
    fresh.map((path) => ({ verb: "set", key: shared.claims + path, value })),
    signal,
  );
  for (const path of fresh) claimed.add(path);
  return OK;
}

/** Lets go of what is deleted, once the revision is whole. */
export async function release(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { memory, settings, work, written } = pass;
  const { shared } = settings;
  if (!shared || !memory.claimed || (work && !written?.final)) return OK;
  const { claimed } = memory;
  const gone = pass.surplus ?? work?.removals.map(({ path }) => path) ?? [];
  await commitAll(
    pass,
    gone.map((path) => ({ verb: "delete", key: shared.claims + path })),
    signal,
  );
  for (const path of gone) claimed.delete(path);
  return OK;
}

async function commitAll(pass: Pass, ops: readonly KvOp[], signal: AbortSignal): Promise<void> {
  const { kv } = pass.settings;
  let chunk: KvOp[] = [];
  let bytes = 0;
  for (const op of ops) {
    const size = operationBytes(op);
    if (chunk.length + 1 > kv.limits.operations || bytes + size > bodyRoom(kv)) {
      await commitFenced(pass, chunk, signal);
      chunk = [];
      bytes = 0;
    }
    chunk.push(op);
    bytes += size;
  }
  if (chunk.length > 0) await commitFenced(pass, chunk, signal);
}
