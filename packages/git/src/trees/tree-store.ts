import { type ObjectId, SluiceError } from "@sluice/core";
import type { ObjectReader } from "../objects/object-reader.ts";
import { parseTree, type TreeEntry } from "./parse-tree.ts";

/** Parsed trees of one repository. */
export interface TreeStore {
  entries(oid: ObjectId, signal?: AbortSignal): Promise<readonly TreeEntry[]>;
}

/** @param most entries kept in memory over all trees; the trees used longest ago are forgotten first. */
export function treeStore(reader: ObjectReader, most = 200_000): TreeStore {
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
    async entries(oid, signal) {
      const known = kept.get(oid);
      if (known) {
        kept.delete(oid);
        kept.set(oid, known);
        return known;
      }
      const object = await reader.read(oid, signal);
      if (object.type !== "tree")
        throw new SluiceError("GIT_FAILED", `the object ${oid} is a ${object.type}, not a tree`);
      const entries = parseTree(oid, object.bytes);
      keep(oid, entries);
      return entries;
    },
  };
}

function weight(entries: readonly TreeEntry[]): number {
  return entries.length + 1;
}
