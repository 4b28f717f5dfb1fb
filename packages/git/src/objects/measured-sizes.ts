import type { ObjectId } from "@sluice/core";
import type { ObjectSize } from "./object-reader.ts";

/** Sizes of objects that were found to be short enough, so that nobody asks for them a second time. */
export interface MeasuredSizes {
  get(oid: ObjectId): ObjectSize | undefined;
  add(oid: ObjectId, size: ObjectSize): void;
  /** Once the object was asked for itself. @returns whether it was known. */
  forget(oid: ObjectId): boolean;
}

/** @param most how many are remembered for certain; beyond twice as many the oldest are forgotten. */
export function measuredSizes(most: number): MeasuredSizes {
  let newer = new Map<ObjectId, ObjectSize>();
  let older = new Map<ObjectId, ObjectSize>();
  return {
    get: (oid) => newer.get(oid) ?? older.get(oid),
    add(oid, size) {
      if (newer.size >= most) {
        older = newer;
        newer = new Map();
      }
      newer.set(oid, size);
    },
    forget(oid) {
      const wasNewer = newer.delete(oid);
      return older.delete(oid) || wasNewer;
    },
  };
}
