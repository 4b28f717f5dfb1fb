import { isSluiceError, type ObjectId, SluiceError } from "@sluice/core";
import type { ObjectReader } from "../objects/object-reader.ts";
import { parseTree, type TreeEntry } from "./parse-tree.ts";
import { treeCache } from "./tree-cache.ts";

/** Parsed trees of one repository. */
export interface TreeStore {
  /**
   * @param folder where the tree is, for messages.
   * @throws LIMIT_EXCEEDED naming the folder, GIT_OBJECT_MISSING, GIT_FAILED.
   */
  entries(oid: ObjectId, folder: string, signal?: AbortSignal): Promise<readonly TreeEntry[]>;
}

/** @param most entries a tree may have. */
export function treeStore(reader: ObjectReader, most: number, cache = treeCache(most)): TreeStore {
  async function read(oid: ObjectId, folder: string, signal: AbortSignal | undefined) {
    const object = await reader.read(oid, signal).catch((error: unknown) => {
      throw isSluiceError(error, "FILE_TOO_LARGE") ? tooManyEntries(folder, most) : error;
    });
    if (object.type !== "tree")
      throw new SluiceError("GIT_FAILED", `the object ${oid} is a ${object.type}, not a tree`);
    return parseTree(oid, object.bytes, most);
  }

  return {
    async entries(oid, folder, signal) {
      const known = cache.get(oid);
      const entries = known ?? (await read(oid, folder, signal));
      // A source with a higher limit may have kept it.
      if (entries.length > most) throw tooManyEntries(folder, most);
      if (!known) cache.keep(oid, entries);
      return entries;
    },
  };
}

function tooManyEntries(folder: string, most: number): SluiceError {
  const where = folder === "" ? "the repository's root" : `the folder "${folder}"`;
  return new SluiceError("LIMIT_EXCEEDED", `${where} has more than ${most} entries (limits.maxFiles)`);
}
