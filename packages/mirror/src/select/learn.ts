import { isSluiceError, type ObjectId, type Source } from "@sluice/core";
import type { BoundedCache } from "../expand/bounded-cache.ts";

export interface Lesson<T> {
  /** What was found out before; what is found out now is added. */
  readonly known: BoundedCache<ObjectId, T>;
  readonly tell: (bytes: Uint8Array) => T;
  /** What holds for a content so large that the source does not read it. */
  readonly unread: T;
}

/** What is to be known of each of these contents; only those that are not known yet are read. */
export async function learn<T>(
  source: Source,
  oids: readonly ObjectId[],
  { known, tell, unread }: Lesson<T>,
  signal?: AbortSignal,
): Promise<ReadonlyMap<ObjectId, T>> {
  const found = new Map<ObjectId, T>();
  const asked: ObjectId[] = [];
  for (const oid of new Set(oids)) {
    const before = known.get(oid);
    if (before === undefined) asked.push(oid);
    else found.set(oid, before);
  }
  function note(oid: ObjectId | undefined, value: T) {
    if (oid === undefined) return;
    found.set(oid, value);
    known.set(oid, value);
  }
  for (let at = 0; at < asked.length; ) {
    try {
      for await (const bytes of source.blobs.read(asked.slice(at), signal)) note(asked[at++], tell(bytes));
      break;
    } catch (error) {
      if (!isSluiceError(error, "FILE_TOO_LARGE")) throw error;
      note(asked[at++], unread);
    }
  }
  return found;
}
