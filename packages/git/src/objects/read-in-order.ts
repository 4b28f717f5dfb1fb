import { type ObjectId, SluiceError } from "@sluice/core";
import type { GitObject, ObjectReader } from "./object-reader.ts";

/** Blobs asked for ahead of the one being used. */
const AHEAD = 64;

/** The blobs' bytes in the order asked; a few are on their way at a time, so memory stays bounded. */
export async function* readInOrder(
  reader: ObjectReader,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const asked: Promise<GitObject>[] = [];
  let next = 0;
  for (const oid of oids) {
    while (next < oids.length && asked.length < AHEAD) {
      const answer = reader.read(oids[next++] as ObjectId, signal);
      // Awaited in its turn; a failure before that must not count as unhandled.
      answer.catch(() => undefined);
      asked.push(answer);
    }
    const object = await (asked.shift() as Promise<GitObject>);
    signal?.throwIfAborted();
    if (object.type !== "blob")
      throw new SluiceError("GIT_FAILED", `the object ${oid} is a ${object.type}, not a blob`);
    yield object.bytes;
  }
}
