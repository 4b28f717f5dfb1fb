import fc from "fast-check";
import { aContent, aPath, bytesOf, type Content, type GitPath } from "./histories-contents.ts";
import { type HistoryRepository, historyRepository, type Leaf, type Tree } from "./histories-repository.ts";

/** A change of one commit; `nth` chooses among the paths that are there. */
export type Edit =
  | { readonly do: "put"; readonly path: GitPath; readonly content: Content }
  | { readonly do: "delete" | "chmod" | "collapse"; readonly nth: number }
  | { readonly do: "rename"; readonly nth: number; readonly path: GitPath }
  | { readonly do: "retype"; readonly nth: number; readonly to: "file" | "symlink" | "submodule" | "folder" };

/** One push, or something else that is done to the repository; `nth`, `onto` and `merge` choose among the commits made so far. */
export type Step =
  | { readonly do: "commit"; readonly edits: readonly Edit[]; readonly merge: number | undefined }
  | { readonly do: "commit-onto"; readonly edits: readonly Edit[]; readonly onto: number }
  | { readonly do: "commit-root"; readonly edits: readonly Edit[] }
  | { readonly do: "move"; readonly nth: number }
  | { readonly do: "delete-branch" }
  | { readonly do: "pack"; readonly what: "refs" | "objects" };

const nth = fc.nat(1000);

const anEdit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("put" as const), path: aPath, content: aContent }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("delete" as const, "chmod", "collapse"), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rename" as const), nth, path: aPath }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("retype" as const),
      nth,
      to: fc.constantFrom("file" as const, "symlink", "submodule", "folder"),
    }),
  },
);

const edits = fc.oneof(
  { weight: 6, arbitrary: fc.array(anEdit, { maxLength: 6 }) },
  { weight: 1, arbitrary: fc.array(anEdit, { minLength: 20, maxLength: 120, size: "max" }) },
);

const aStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      edits,
      merge: fc.option(nth, { nil: undefined, freq: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("commit-onto" as const), edits, onto: nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("commit-root" as const), edits }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("move" as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete-branch" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("pack" as const),
      what: fc.constantFrom("refs" as const, "objects"),
    }),
  },
);

/** A history as steps; the first always commits, so that there is something to mirror. */
export function aHistory(options: { readonly steps: number }): fc.Arbitrary<readonly Step[]> {
  const first = fc.record({ do: fc.constant("commit" as const), edits, merge: fc.constant(undefined) });
  const rest = fc.array(aStep, { minLength: 1, maxLength: options.steps - 1, size: "max" });
  return fc.tuple(first, rest).map(([one, others]) => [one, ...others]);
}

export interface Commit {
  readonly id: string;
  readonly tree: Tree;
}

/** A repository with what is known of it. */
export interface History {
  readonly repository: HistoryRepository;
  readonly commits: readonly Commit[];
  /** Where the branch points; undefined: it is not there. */
  tip(): Commit | undefined;
  /** Does one step to the repository. */
  play(step: Step): Promise<void>;
}

/** @param folder that stays a folder, "" for none: nothing else is ever put in its place. */
export async function startHistory(folder = ""): Promise<History> {
  const repository = await historyRepository();
  const commits: Commit[] = [];
  let tip: Commit | undefined;
  const chosen = (at: number) => commits[at % Math.max(1, commits.length)];

  async function commit(base: Commit | undefined, edits: readonly Edit[], merge?: Commit) {
    const tree = new Map(base?.tree);
    for (const edit of edits) applyEdit(tree, edit, folder);
    const parents = [base, merge].flatMap((one) => (one ? [one.id] : []));
    tip = { id: await repository.commit(tree, parents), tree };
    commits.push(tip);
  }
  return {
    repository,
    commits,
    tip: () => tip,
    async play(step) {
      if (step.do === "commit")
        return commit(tip, step.edits, step.merge === undefined ? undefined : chosen(step.merge));
      if (step.do === "commit-onto") return commit(chosen(step.onto), step.edits);
      if (step.do === "commit-root") return commit(undefined, step.edits);
      if (step.do === "pack") return pack(repository, step.what);
      tip = step.do === "move" ? (chosen(step.nth) ?? tip) : undefined;
      await repository.move(tip?.id);
    },
  };
}

/** Commits no branch holds any more stay: a push back to them must find them. */
async function pack({ git }: HistoryRepository, what: "refs" | "objects"): Promise<void> {
  if (what === "refs") await git("pack-refs", "--all");
  else await git("repack", "-q", "-a", "-d", "-k");
}

function applyEdit(tree: Map<GitPath, Leaf>, edit: Edit, folder: string): void {
  if (edit.do === "put") place(tree, edit.path, { mode: "100644", content: bytesOf(edit.content) }, folder);
  else {
    const paths = [...tree.keys()];
    const path = paths[edit.nth % Math.max(1, paths.length)];
    const leaf = path === undefined ? undefined : tree.get(path);
    if (path !== undefined && leaf) alter(tree, edit, path, leaf, folder);
  }
}

function alter(
  tree: Map<GitPath, Leaf>,
  edit: Exclude<Edit, { do: "put" }>,
  path: GitPath,
  leaf: Leaf,
  folder: string,
): void {
  const top = path.split("/")[0] ?? path;
  if (edit.do === "collapse") place(tree, top, { mode: "100644", content: Buffer.from(path) }, folder);
  else if (edit.do === "chmod") tree.set(path, isFile(leaf) ? { ...leaf, mode: otherMode(leaf) } : leaf);
  else if (edit.do === "retype" && edit.to === "folder") place(tree, `${path}/inside`, leaf, folder);
  else if (edit.do === "retype") tree.set(path, retyped(leaf, edit.to));
  else {
    tree.delete(path);
    if (edit.do === "rename") place(tree, edit.path, leaf, folder);
  }
}

function isFile({ mode }: Leaf): boolean {
  return mode === "100644" || mode === "100755";
}

function otherMode({ mode }: Leaf): Leaf["mode"] {
  return mode === "100644" ? "100755" : "100644";
}

/** The bytes stay where they can, so that a link and a file of one object follow each other. */
function retyped(leaf: Leaf, to: string): Leaf {
  if (to === "submodule")
    return { mode: "160000", content: Buffer.from("0123456789abcdef".repeat(3).slice(0, 40)) };
  const isLink = to === "symlink";
  // A link's target cannot be empty, nor very long.
  const content =
    isLink && (leaf.content.length === 0 || leaf.content.length > 200)
      ? Buffer.from("/etc/hostname")
      : leaf.content;
  return { mode: isLink ? "120000" : "100644", content };
}

/** Puts a leaf at a path; a file in the way of a folder, and a folder in the way of a file, give way. */
function place(tree: Map<GitPath, Leaf>, path: GitPath, leaf: Leaf, folder: string): void {
  if (`${folder}/`.startsWith(`${path}/`)) return;
  const segments = path.split("/");
  for (let length = 1; length < segments.length; length++) {
    const above = segments.slice(0, length).join("/");
    tree.delete(above);
  }
  for (const other of [...tree.keys()]) if (other.startsWith(`${path}/`)) tree.delete(other);
  tree.set(path, leaf);
}

const LARGEST_VALUE = 512 * 1024;

/** What a KV of this tree must hold under `files/`: the spelling of the path, and the bytes. Undefined: the tree is refused. */
export function expectedFiles(tree: Tree, folder = ""): Map<string, Buffer> | undefined {
  const above = folder === "" ? "" : `${folder}/`;
  const files = new Map<string, Buffer>();
  for (const [path, leaf] of tree) {
    if (!isFile(leaf) || !path.startsWith(above)) continue;
    if (leaf.content.length > LARGEST_VALUE) return undefined;
    files.set(path.slice(above.length).replace(/[^A-Za-z0-9._/-]/g, spelled), leaf.content);
  }
  return files;
}

function spelled(char: string): string {
  return `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
