import type { FilePath, ObjectId, TreeChange, TreeFile } from "@sluice/core";

/** The `.gitattributes` of a tree, by path. */
export type AttributesFiles = ReadonlyMap<FilePath, ObjectId>;

/** As Git, which does not follow one that is a symlink. */
export function attributesIn(files: readonly TreeFile[]): AttributesFiles {
  return new Map(files.filter(isAttributes).map(({ path, oid }) => [path, oid]));
}

/** Those of the one commit, from those of the other and what differs; the very same map where none of them does. */
export function movedAttributes(
  files: AttributesFiles,
  changes: readonly TreeChange[],
  side: "from" | "to",
): AttributesFiles {
  const those = changes.filter(({ from, to }) => (from && isAttributes(from)) || (to && isAttributes(to)));
  if (those.length === 0) return files;
  const moved = new Map(files);
  for (const { path, [side]: file } of those) {
    if (file && isAttributes(file)) moved.set(path, file.oid);
    else moved.delete(path);
  }
  return moved;
}

function isAttributes({ path, kind }: TreeFile): boolean {
  return kind === "file" && (path === ".gitattributes" || path.endsWith("/.gitattributes"));
}
