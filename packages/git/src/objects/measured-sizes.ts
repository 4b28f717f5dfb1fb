import type { ObjectId } from "@sluice/core";

/** Lengths of blobs, so that nobody asks for them a second time. */
export interface MeasuredSizes {
  get(oid: ObjectId): number | undefined;
  add(oid: ObjectId, bytes: number): void;
  /** Once the blob itself is asked for. */
  forget(oid: ObjectId): void;
}

/** @param most how many are remembered for certain; beyond twice as many the oldest are forgotten. */
export function measuredSizes(most: number): MeasuredSizes {
  let newer = new Map<ObjectId, number>();
  let older = new Map<ObjectId, number>();
  return {
    get: (oid) => newer.get(oid) ?? older.get(oid),
    add(oid, bytes) {
      if (newer.size >= most) {
        older = newer;
        newer = new Map();
      }
      newer.set(oid, bytes);
    },
    forget(oid) {
      newer.delete(oid);
      older.delete(oid);
    },
  };
}
