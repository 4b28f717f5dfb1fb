import {
  decodePath,
  displayPath,
  type FileEdit,
  type FilePath,
  type ObjectId,
  SluiceError,
} from "@sluice/core";
import { compareEntries, type RawEntry, rawTree, treeBytes } from "./raw-tree.ts";

export interface TreeFiles {
  /** A tree object's bytes. */
  readTree(oid: ObjectId): Promise<Buffer>;
  write(type: "blob" | "tree", bytes: Uint8Array): Promise<ObjectId>;
}

/** What becomes of the files below one folder: by the first segment of their path, each character one byte. */
interface Folder {
  readonly files: Map<string, { readonly content: Uint8Array | undefined; readonly path: FilePath }>;
  readonly folders: Map<string, Folder>;
}

/**
 * A tree with some files edited. Only the folders on the way to them are read and written, so the cost follows the edit.
 * @param folder the paths' own folder, as in a configuration: `staging`; empty for the root.
 * @returns undefined where nothing is left: Git keeps no empty folders.
 * @throws USAGE where a file stands in place of a folder, or a folder, link or submodule in place of a file.
 */
export async function editedTree(
  root: ObjectId,
  folder: string,
  edits: readonly FileEdit[],
  files: TreeFiles,
): Promise<ObjectId | undefined> {
  const top: Folder = { files: new Map(), folders: new Map() };
  const above = folder.split("/").filter((one) => one !== "");
  const latin = above.map((one) => Buffer.from(one).toString("latin1"));
  for (const { path, content } of edits) {
    const segments = [...latin, ...Buffer.from(decodePath(path)).toString("latin1").split("/")];
    const name = segments.pop() ?? "";
    let at = top;
    for (const segment of segments) {
      const next = at.folders.get(segment) ?? { files: new Map(), folders: new Map() };
      at.folders.set(segment, next);
      at = next;
    }
    at.files.set(name, { content, path });
  }
  return writeFolder(root, top, files);
}

async function writeFolder(
  oid: ObjectId | undefined,
  edits: Folder,
  files: TreeFiles,
): Promise<ObjectId | undefined> {
  const before = oid === undefined ? [] : rawTree(oid, await files.readTree(oid));
  const entries = new Map(before.map((entry) => [entry.name, entry]));
  for (const [name, { content, path }] of edits.files) {
    const mode = fileMode(entries.get(name), path);
    if (content === undefined) entries.delete(name);
    else entries.set(name, { mode, name, oid: await files.write("blob", content) });
  }
  for (const [name, below] of edits.folders) {
    const there = entries.get(name);
    if (there && there.mode !== "40000") throw inTheWay(`"${shown(name)}" is no folder`);
    const written = await writeFolder(there?.oid, below, files);
    if (written === undefined) entries.delete(name);
    else entries.set(name, { mode: "40000", name, oid: written });
  }
  if (entries.size === 0) return undefined;
  return files.write("tree", treeBytes([...entries.values()].sort(compareEntries)));
}

function fileMode(there: RawEntry | undefined, path: FilePath): string {
  if (there === undefined) return "100644";
  if (there.mode.startsWith("100")) return there.mode;
  throw inTheWay(`"${displayPath(path)}" is no plain file`);
}

function shown(latin1: string): string {
  return Buffer.from(latin1, "latin1")
    .toString("utf8")
    .replace(/\p{Cc}/gu, "?");
}

function inTheWay(what: string): SluiceError {
  return new SluiceError("USAGE", `the file cannot be written: ${what}`);
}
