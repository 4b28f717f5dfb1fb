import { isSluiceError, type ObjectId, SluiceError } from "@sluice/core";
import type { ObjectReader } from "../objects/object-reader.ts";
import { parseTree, type TreeEntry } from "./parse-tree.ts";

/** Parsed trees of one repository. */
export interface TreeStore {
  /**
   * @param folder where the tree is, for messages.
   * @throws LIMIT_EXCEEDED naming the folder, GIT_OBJECT_MISSING, GIT_FAILED.
   */
  entries(oid: ObjectId, folder: string, signal?: AbortSignal): Promise<readonly TreeEntry[]>;
}

/** As many entries are kept in memory over all trees as one may have; the trees used longest ago are forgotten first. */
export function treeStore(reader: ObjectReader, most: number): TreeStore {
  const kept = new Map<ObjectId, readonly TreeEntry[]>();
  let total = 0;

  function keep(oid: ObjectId, entries: readonly TreeEntry[]) {
    if (entries.length > most || kept.has(oid)) return;
    kept.set(oid, entries);
    total += weight(entries);
    for (const [oldest, one] of kept) {
      if (total <= most) break;
      kept.delete(oldest);
      total -= weight(one);
    }
  }

  return {
    async entries(oid, folder, signal) {
      const known = kept.get(oid);
      if (known) {
        kept.delete(oid);
        kept.set(oid, known);
        return known;
      }
      const object = await reader.read(oid, signal).catch((error: unknown) => {
        throw isSluiceError(error, "FILE_TOO_LARGE") ? tooManyEntries(folder, most) : error;
      });
      if (object.type !== "tree")
        throw new SluiceError("GIT_FAILED", `the object ${oid} is a ${object.type}, not a tree`);
      const entries = parseTree(oid, object.bytes, most);
      if (entries.length > most) throw tooManyEntries(folder, most);
      keep(oid, entries);
      return entries;
    },
  };
}

function tooManyEntries(folder: string, most: number): SluiceError {
  const where = folder === "" ? "the repository's root" : `the folder "${folder}"`;
  return new SluiceError("LIMIT_EXCEEDED", `${where} has more than ${most} entries (limits.maxFiles)`);
}

function weight(entries: readonly TreeEntry[]): number {
  return entries.length + 1;
}
