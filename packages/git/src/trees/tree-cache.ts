import type { ObjectId } from "@sluice/core";
import type { TreeEntry } from "./parse-tree.ts";

/**
 * Trees that were taken apart, by their ids, which name their content: sources may share one, whatever repositories they are
 * of, so that a push is reviewed and mirrored with its trees read once.
 */
export interface TreeCache {
  get(oid: ObjectId): readonly TreeEntry[] | undefined;
  keep(oid: ObjectId, entries: readonly TreeEntry[]): void;
}

/** @param most entries kept over all trees; the trees used longest ago are forgotten first. */
export function treeCache(most: number): TreeCache {
  const kept = new Map<ObjectId, readonly TreeEntry[]>();
  let total = 0;

  return {
    get(oid) {
      const known = kept.get(oid);
      if (!known) return undefined;
      kept.delete(oid);
      kept.set(oid, known);
      return known;
    },
    keep(oid, entries) {
      if (entries.length > most || kept.has(oid)) return;
      kept.set(oid, entries);
      total += weight(entries);
      for (const [oldest, one] of kept) {
        if (total <= most) break;
        kept.delete(oldest);
        total -= weight(one);
      }
    },
  };
}

function weight(entries: readonly TreeEntry[]): number {
  return entries.length + 1;
}
