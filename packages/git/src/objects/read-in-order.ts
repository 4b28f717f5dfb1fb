import { type ObjectId, SluiceError } from "@sluice/core";
import type { GitObject, ObjectReader, ObjectSize } from "./object-reader.ts";

/** Bytes asked for at once: enough that asking costs little, few enough that two such groups are little memory. */
const GROUP_BYTES = 1024 * 1024;
/** Sizes asked for at once, and blobs of a group at most. */
const AT_ONCE = 1024;
/** Blobs asked for ahead of the one being used, where sizes cannot be asked for. */
const AHEAD = 64;

type SizeOf = NonNullable<ObjectReader["size"]>;

/** The blobs' bytes in the order asked; a few are on their way at a time, so memory stays bounded. */
export function readInOrder(
  reader: ObjectReader,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { size } = reader;
  return size ? readGroups(reader, size, oids, signal) : readAhead(reader, oids, signal);
}

/** The blobs' lengths in the order asked. */
export async function sizesInOrder(
  sizeOf: SizeOf,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): Promise<readonly number[]> {
  const sizes: number[] = [];
  function take(answers: readonly ObjectSize[]) {
    for (const { type, size } of answers) {
      if (type !== "blob") throw notBlob(oids[sizes.length], type);
      sizes.push(size);
    }
  }
  let asked: Promise<readonly ObjectSize[]> = Promise.resolve([]);
  for (let at = 0; at < oids.length; at += AT_ONCE) {
    const next = Promise.all(oids.slice(at, at + AT_ONCE).map((oid) => sizeOf(oid, signal)));
    // Awaited in its turn; a failure before that must not count as unhandled.
    next.catch(() => undefined);
    take(await asked);
    asked = next;
  }
  take(await asked);
  return sizes;
}

/** Each group is asked for at once while the one before it is used: git and we then seldom wait for each other. */
async function* readGroups(
  reader: ObjectReader,
  sizeOf: SizeOf,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  let asked: readonly Asked[] = [];
  for await (const group of groupsOf(sizeOf, oids, signal)) {
    const next = group.map((oid) => ask(reader, oid, signal));
    yield* answers(asked, signal);
    asked = next;
  }
  yield* answers(asked, signal);
}

async function* groupsOf(
  sizeOf: SizeOf,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): AsyncIterable<readonly ObjectId[]> {
  for (let at = 0; at < oids.length; at += AT_ONCE) {
    const some = oids.slice(at, at + AT_ONCE);
    const sizes = await Promise.all(some.map((oid) => sizeOf(oid, signal)));
    let from = 0;
    let bytes = 0;
    for (const [index, { size }] of sizes.entries()) {
      if (index > from && bytes + size > GROUP_BYTES) {
        yield some.slice(from, index);
        from = index;
        bytes = 0;
      }
      bytes += size;
    }
    yield some.slice(from);
  }
}

async function* readAhead(
  reader: ObjectReader,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const asked: Asked[] = [];
  for (let next = 0; next < oids.length || asked.length > 0; ) {
    while (next < oids.length && asked.length < AHEAD)
      asked.push(ask(reader, oids[next++] as ObjectId, signal));
    yield* answers(asked.splice(0, 1), signal);
  }
}

interface Asked {
  readonly oid: ObjectId;
  readonly object: Promise<GitObject>;
}

function ask(reader: ObjectReader, oid: ObjectId, signal: AbortSignal | undefined): Asked {
  const object = reader.read(oid, signal);
  // Awaited in its turn; a failure before that must not count as unhandled.
  object.catch(() => undefined);
  return { oid, object };
}

async function* answers(asked: readonly Asked[], signal?: AbortSignal): AsyncIterable<Uint8Array> {
  for (const { oid, object } of asked) {
    const { type, bytes } = await object;
    signal?.throwIfAborted();
    if (type !== "blob") throw notBlob(oid, type);
    yield bytes;
  }
}

function notBlob(oid: ObjectId | undefined, type: GitObject["type"]): SluiceError {
  return new SluiceError("GIT_FAILED", `the object ${oid} is a ${type}, not a blob`);
}
