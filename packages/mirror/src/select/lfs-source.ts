import {
  type CommitId,
  type FilePath,
  isLfsPointer,
  type ObjectId,
  type Source,
  type TreeChange,
  type TreeFile,
} from "@sluice/core";
import { type AttributesFiles, attributesIn, movedAttributes } from "./attributes-files.ts";
import { learn } from "./learn.ts";
import { type LfsMemory, lfsMemory } from "./lfs-memory.ts";
import { type AttributesText, lfsRules } from "./lfs-rules.ts";

/** A `.gitattributes` of a folder above the source's root; `below` is that root as seen from the file's folder. */
export interface AttributesAbove {
  readonly oid: ObjectId;
  readonly below: FilePath;
}

export interface LfsOptions {
  /** What other sources of the same folder of the repository have found out. Default: nothing. */
  readonly memory?: LfsMemory;
  /** The `.gitattributes` above the source's root, the repository's root first. Default: none. */
  readonly above?: (commit: CommitId, signal?: AbortSignal) => Promise<readonly AttributesAbove[]>;
}

type Rules = ((path: FilePath) => boolean) | undefined;

/**
 * The source with its pointers of Git LFS named: `tree` and `changes` give the kind "lfs" to a file that a `.gitattributes`
 * of the same commit gives to Git LFS and that really is a pointer. Where no `.gitattributes` mentions Git LFS, no content
 * is read but theirs, once. Where one of them changed, the whole tree is looked at, for what becomes a pointer or no
 * longer is one.
 */
export function withoutLfs(source: Source, { memory = lfsMemory(), above }: LfsOptions = {}): Source {
  const rulesOf = rulesReader(source, memory, above);
  const pointersIn = pointerFinder(source, memory);
  return {
    ...source,
    async tree(commit, signal) {
      const files = await source.tree(commit, signal);
      const attributes = attributesIn(files);
      memory.files.set(commit, attributes);
      const rules = await rulesOf(commit, attributes, signal);
      if (!rules) return files;
      const pointers = await pointersIn(candidates(files, rules), signal);
      return files.map((file) => marked(file, rules, pointers));
    },
    async changes(from, to, signal) {
      const changes = await source.changes(from, to, signal);
      const { before, after } = await attributesOf({ from, to, changes }, source, memory, signal);
      const was = await rulesOf(from, before, signal);
      const is = await rulesOf(to, after, signal);
      if (!was && !is) return changes;
      const rest = was === is ? [] : untouched(await source.tree(to, signal), changes, was, is);
      const all = [...changes, ...rest];
      const olds = candidates(
        all.flatMap((change) => change.from ?? []),
        was,
      );
      const news = candidates(
        all.flatMap((change) => change.to ?? []),
        is,
      );
      const pointers = await pointersIn([...olds, ...news], signal);
      return all.map((change) => markedSides(change, [was, is], pointers)).filter(differs);
    },
  };
}

function pointerFinder(source: Source, { pointers: known }: LfsMemory) {
  return async (files: readonly TreeFile[], signal?: AbortSignal): Promise<ReadonlySet<ObjectId>> => {
    const oids = files.map(({ oid }) => oid);
    const found = await learn(source, oids, { known, tell: isLfsPointer, unread: false }, signal);
    return new Set(oids.filter((oid) => found.get(oid)));
  };
}

/** The `.gitattributes` of two commits: those of either give those of the other. Only where both are new is a tree listed. */
async function attributesOf(
  { from, to, changes }: { from: CommitId; to: CommitId; changes: readonly TreeChange[] },
  source: Source,
  { files }: LfsMemory,
  signal?: AbortSignal,
): Promise<{ before: AttributesFiles; after: AttributesFiles }> {
  const known = files.get(from);
  const after = known
    ? movedAttributes(known, changes, "to")
    : (files.get(to) ?? attributesIn(await source.tree(to, signal)));
  const before = known ?? movedAttributes(after, changes, "from");
  files.set(from, before);
  files.set(to, after);
  return { before, after };
}

/** What Git LFS is given by these `.gitattributes` and those above; the very same function for the very same ones. */
function rulesReader(source: Source, memory: LfsMemory, above: LfsOptions["above"]) {
  return async (commit: CommitId, files: AttributesFiles, signal?: AbortSignal): Promise<Rules> => {
    const higher = (await above?.(commit, signal)) ?? [];
    if (higher.length + files.size === 0) return undefined;
    const named = [...files].sort(([one], [other]) => (one < other ? -1 : 1));
    const key = JSON.stringify([higher.map(({ oid, below }) => [oid, below]), named]);
    const known = memory.rules.get(key);
    if (known) return known === "none" ? undefined : known;
    const oids = [...higher.map(({ oid }) => oid), ...files.values()];
    const tell = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
    const texts = await learn(source, oids, { known: memory.texts, tell, unread: "" }, signal);
    const textOf = (oid: ObjectId) => texts.get(oid) ?? "";
    const rules = lfsRules([
      ...higher.map(({ oid, below }): AttributesText => ({ folder: "", below, text: textOf(oid) })),
      ...named.map(
        ([path, oid]): AttributesText => ({ folder: folderOf(path), below: "", text: textOf(oid) }),
      ),
    ]);
    memory.rules.set(key, rules ?? "none");
    return rules;
  };
}

function folderOf(path: FilePath): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

function candidates(files: readonly TreeFile[], rules: Rules): readonly TreeFile[] {
  return rules ? files.filter(({ kind, path }) => kind === "file" && rules(path)) : [];
}

/** The file of a tree as it is; one that is given to Git LFS and is a pointer, as that. */
function marked(file: TreeFile, rules: Rules, pointers: ReadonlySet<ObjectId>): TreeFile {
  const is = file.kind === "file" && pointers.has(file.oid) && rules?.(file.path);
  return is ? { ...file, kind: "lfs" } : file;
}

function markedSides(
  { path, from, to }: TreeChange,
  [was, is]: readonly [Rules, Rules],
  pointers: ReadonlySet<ObjectId>,
): TreeChange {
  return {
    path,
    ...(from ? { from: marked(from, was, pointers) } : {}),
    ...(to ? { to: marked(to, is, pointers) } : {}),
  };
}

/** The files that are the same in both commits and are given to Git LFS in one of them only. */
function untouched(
  files: readonly TreeFile[],
  changes: readonly TreeChange[],
  was: Rules,
  is: Rules,
): readonly TreeChange[] {
  const touched = new Set(changes.map(({ path }) => path));
  return files
    .filter(({ kind, path }) => kind === "file" && !touched.has(path) && was?.(path) !== is?.(path))
    .map((file) => ({ path: file.path, from: file, to: file }));
}

function differs({ from, to }: TreeChange): boolean {
  return from?.oid !== to?.oid || from?.kind !== to?.kind;
}
