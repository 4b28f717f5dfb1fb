import { type CommitId, type ObjectId, SluiceError } from "@sluice/core";
import type { TreeEntry } from "../trees/parse-tree.ts";
import type { TreeStore } from "../trees/tree-store.ts";

/**
 * A tree of notes: a blob for each commit, named by its 40 hex digits, of which any number of pairs may be folders
 * (git-scm.com/docs/git-notes: "fanout"); Git itself reads every mixture.
 */
export interface NoteTree {
  /** The blob with a commit's note. */
  find(commit: CommitId, signal?: AbortSignal): Promise<ObjectId | undefined>;
  /** The tree with these blobs in place of, or beside, what is there. @returns the new root. */
  with(blobs: ReadonlyMap<CommitId, ObjectId>, signal?: AbortSignal): Promise<ObjectId>;
}

export interface NoteTreeOptions {
  readonly store: TreeStore;
  /** Undefined: there is no note yet. */
  readonly root: ObjectId | undefined;
  write(tree: Buffer): Promise<ObjectId>;
}

/** With more notes than this in one folder, new ones go into folders below it, so that adding one stays cheap. */
const MOST_FLAT = 256;

export function noteTree({ store, root, write }: NoteTreeOptions): NoteTree {
  async function entriesOf(tree: ObjectId | undefined, signal?: AbortSignal): Promise<readonly TreeEntry[]> {
    return tree === undefined ? [] : store.entries(tree, "the notes", signal);
  }

  async function find(
    tree: ObjectId | undefined,
    rest: string,
    signal?: AbortSignal,
  ): Promise<ObjectId | undefined> {
    const entries = await entriesOf(tree, signal);
    const note = entries.find((one) => one.name === rest && one.kind === "file");
    if (note || rest.length <= 2) return note?.oid;
    const folder = entries.find((one) => one.name === rest.slice(0, 2) && one.kind === "tree");
    return folder && find(folder.oid, rest.slice(2), signal);
  }

  async function add(
    tree: ObjectId | undefined,
    blobs: ReadonlyMap<string, ObjectId>,
    signal?: AbortSignal,
  ): Promise<ObjectId> {
    const entries = new Map((await entriesOf(tree, signal)).map((one) => [one.name, one]));
    const below = new Map<string, Map<string, ObjectId>>();
    for (const [rest, oid] of blobs) {
      const folder = rest.slice(0, 2);
      const isFolder = entries.get(folder)?.kind === "tree";
      if (!entries.has(rest) && rest.length > 2 && (isFolder || entries.size >= MOST_FLAT))
        below.set(folder, (below.get(folder) ?? new Map()).set(rest.slice(2), oid));
      else entries.set(rest, { name: rest, order: rest, kind: "file", oid });
    }
    for (const [name, inside] of below) {
      const oid = await add(entries.get(name)?.oid, inside, signal);
      entries.set(name, { name, order: `${name}/`, kind: "tree", oid });
    }
    return write(encodeTree([...entries.values()]));
  }

  return {
    find: (commit, signal) => find(root, commit, signal),
    with: (blobs, signal) => add(root, blobs, signal),
  };
}

const MODES: Partial<Record<TreeEntry["kind"], string>> = {
  file: "100644",
  symlink: "120000",
  submodule: "160000",
  tree: "40000",
};

function encodeTree(entries: TreeEntry[]): Buffer {
  const sorted = entries.sort((a, b) => (a.order < b.order ? -1 : 1));
  return Buffer.concat(
    sorted.flatMap(({ name, kind, oid }) => {
      const mode = MODES[kind];
      if (mode === undefined)
        throw new SluiceError("GIT_FAILED", `the notes hold something of an unknown kind: ${name}`);
      return [Buffer.from(`${mode} ${name}\0`, "latin1"), Buffer.from(oid, "hex")];
    }),
  );
}
