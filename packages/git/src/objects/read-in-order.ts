import type { ObjectId } from "@sluice/core";
import {
  type BlobContents,
  type GitObject,
  type ManyBlobs,
  notBlob,
  type ObjectReader,
} from "./object-reader.ts";

/** Bytes asked for at once: enough that asking costs little, few enough that two such groups are little memory. */
const GROUP_BYTES = 1024 * 1024;
/** Of the first group: whoever reads is not to wait for long. */
const FIRST_GROUP_BYTES = 64 * 1024;
/** Blobs of a group at most. */
const AT_ONCE = 1024;
/** Blobs asked for ahead of the one being used, where they are read one by one. */
const AHEAD = 64;

/** The blobs' bytes in the order asked; a few are on their way at a time, so memory stays bounded. */
export async function* readInOrder(
  reader: ObjectReader,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const many = await reader.many?.();
  if (!many) return yield* readAhead(reader, oids, signal);
  const groups = askedGroups(many, oids, signal);
  const next = () => held(groups.next().then(({ done, value }) => (done ? undefined : value.contents)));
  // Each group is asked for while those before it are used: git and we then seldom wait for each other.
  const coming = [next(), next()];
  for (;;) {
    const group = await coming.shift();
    if (!group) return;
    coming.push(next());
    for (const bytes of group.blobs) {
      signal?.throwIfAborted();
      yield bytes;
    }
    if (group.failure) throw group.failure;
  }
}

/** The blobs' lengths in the order asked. */
export async function sizesInOrder(
  reader: ObjectReader,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): Promise<readonly number[]> {
  const many = await reader.many?.();
  if (many) return many.sizes(oids, signal);
  const sizes: number[] = [];
  for await (const bytes of readAhead(reader, oids, signal)) sizes.push(bytes.length);
  return sizes;
}

async function* askedGroups(
  many: ManyBlobs,
  oids: readonly ObjectId[],
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly contents: Promise<BlobContents> }, undefined> {
  let most = FIRST_GROUP_BYTES;
  for (let at = 0; at < oids.length; at += AT_ONCE) {
    const some = oids.slice(at, at + AT_ONCE);
    const sizes = await many.sizes(some, signal);
    for (let from = 0; from < some.length; ) {
      const to = endOfGroup(sizes, from, most);
      yield { contents: held(many.contents(some.slice(from, to), sizes.slice(from, to), signal)) };
      from = to;
      most = GROUP_BYTES;
    }
  }
}

/** Where the group that begins there ends: it has one blob at least. */
function endOfGroup(sizes: readonly number[], from: number, most: number): number {
  let to = from;
  let bytes = 0;
  do bytes += sizes[to++] ?? 0;
  while (to < sizes.length && bytes + (sizes[to] ?? 0) <= most);
  return to;
}

/** For what is awaited in its turn: a failure before that must not count as unhandled. */
function held<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

async function* readAhead(
  reader: ObjectReader,
  oids: readonly ObjectId[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const asked: { readonly oid: ObjectId; readonly object: Promise<GitObject> }[] = [];
  for (let next = 0; ; ) {
    while (next < oids.length && asked.length < AHEAD) {
      const oid = oids[next++] as ObjectId;
      asked.push({ oid, object: held(reader.read(oid, signal)) });
    }
    const first = asked.shift();
    if (!first) return;
    const { type, bytes } = await first.object;
    signal?.throwIfAborted();
    if (type !== "blob") throw notBlob(first.oid, type);
    yield bytes;
  }
}
