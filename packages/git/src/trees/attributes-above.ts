import { encodePath, type FilePath, type ObjectId } from "@sluice/core";
import type { TreeStore } from "./tree-store.ts";

/** A `.gitattributes` of a folder that holds the source's root. */
export interface AttributesAbove {
  readonly oid: ObjectId;
  /** The source's root as seen from the file's folder. */
  readonly below: FilePath;
}

/** The `.gitattributes` of every folder above this one, the repository's root first; none for an absent folder. */
export async function attributesAbove(
  store: TreeStore,
  root: ObjectId,
  folder: string,
  signal?: AbortSignal,
): Promise<readonly AttributesAbove[]> {
  const segments = folder.split("/").filter((one) => one !== "");
  const found: AttributesAbove[] = [];
  let tree = root;
  for (const [at, segment] of segments.entries()) {
    const entries = await store.entries(tree, segments.slice(0, at).join("/"), signal);
    const file = entries.find((entry) => entry.name === ".gitattributes" && entry.kind === "file");
    if (file) found.push({ oid: file.oid, below: encodePath(segments.slice(at).join("/")) });
    const name = Buffer.from(segment).toString("latin1");
    const next = entries.find((entry) => entry.name === name && entry.kind === "tree");
    if (!next) return [];
    tree = next.oid;
  }
  return found;
}
