import { type Clock, type ObjectId, SluiceError } from "@sluice/core";
import { type LastingBatch, lastingBatch } from "./lasting-batch.ts";
import { measuredSizes } from "./measured-sizes.ts";
import {
  type BlobContents,
  type GitObject,
  type LargestBytes,
  type ManyBlobs,
  missingObject,
  notBlob,
  type ObjectReader,
  tooLarge,
} from "./object-reader.ts";
import type { Answer } from "./questions.ts";

export interface CatFileOptions {
  /** The `git` program. */
  readonly git: string;
  /** True where git knows `cat-file --batch-command` (2.36): then one child answers for all. */
  readonly takesCommands: boolean;
  readonly gitDir: () => Promise<string>;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** How long git may be silent while an answer is due, in milliseconds. */
  readonly timeoutMs: number;
  readonly largestBytes: LargestBytes;
}

/** Blobs whose size is remembered until they are read: those of a large repository are measured before the first is. */
const MOST_MEASURED = 65_536;
/** Sizes asked for at once. */
const SIZES_AT_ONCE = 4096;

/**
 * Objects through long-lived `git cat-file`. Every object is measured before it is read: none beyond the limit is ever
 * inflated.
 */
export function catFileReader(options: CatFileOptions): ObjectReader {
  const contents = lastingBatch(
    { ...options, answers: options.takesCommands ? "both" : "content" },
    options.gitDir,
  );
  const sizes = options.takesCommands
    ? contents
    : lastingBatch({ ...options, answers: "size" }, options.gitDir);
  const blobs = manyBlobs(sizes, contents, options.largestBytes("blob"));

  return {
    async read(oid, signal) {
      const [found] = await sizes.ask({ oids: [oid], want: "size" }, signal);
      const { type, size } = objectSize(oid, found);
      if (size > options.largestBytes(type)) throw tooLarge(oid, size);
      const [bytes] = await contents.ask({ oids: [oid], want: "content" }, signal);
      if (Buffer.isBuffer(bytes)) return { type, bytes };
      throw failureOf(oid, bytes);
    },
    many: async () => blobs,
    start: contents.start,
    async close() {
      await Promise.all([sizes.close(), contents.close()]);
    },
  };
}

function manyBlobs(sizes: LastingBatch, contents: LastingBatch, largest: number): ManyBlobs {
  const measured = measuredSizes(MOST_MEASURED);

  async function measure(oids: readonly ObjectId[], signal: AbortSignal | undefined): Promise<number[]> {
    const answers = await sizes.ask({ oids, want: "size" }, signal);
    return answers.map((one, at) => {
      const oid = oids[at] as ObjectId;
      if (typeof one !== "number") throw notBlob(oid, objectSize(oid, one).type);
      measured.add(oid, one);
      return one;
    });
  }

  return {
    async sizes(oids, signal) {
      signal?.throwIfAborted();
      const known = oids.map(measured.get);
      const unknown = oids.filter((_, at) => known[at] === undefined);
      // All lists are handed over at once, so that git need not wait for us between them.
      const lists = listsOf(unknown, SIZES_AT_ONCE).map((list) => measure(list, signal));
      const found = (await Promise.all(lists)).flat();
      let next = 0;
      return known.map((size) => size ?? (found[next++] as number));
    },
    async contents(oids, lengths, signal) {
      const tooLong = lengths.findIndex((size) => size > largest);
      const wanted = tooLong < 0 ? oids : oids.slice(0, tooLong);
      for (const oid of wanted) measured.forget(oid);
      const question = { oids: wanted, want: "content" } as const;
      const read = collected(wanted, wanted.length > 0 ? await contents.ask(question, signal) : []);
      if (read.failure || tooLong < 0) return read;
      return { ...read, failure: tooLarge(oids[tooLong] as ObjectId, lengths[tooLong] as number) };
    },
  };
}

function listsOf<T>(all: readonly T[], most: number): (readonly T[])[] {
  const lists: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += most) lists.push(all.slice(at, at + most));
  return lists;
}

function collected(oids: readonly ObjectId[], answers: readonly Answer[]): BlobContents {
  const blobs: Uint8Array[] = [];
  for (const one of answers) {
    const oid = oids[blobs.length] as ObjectId;
    if (!Buffer.isBuffer(one)) return { blobs, failure: failureOf(oid, one) };
    blobs.push(one);
  }
  return { blobs };
}

function objectSize(oid: ObjectId, answer: Answer | undefined): Pick<GitObject, "type"> & { size: number } {
  if (typeof answer === "number") return { type: "blob", size: answer };
  if (answer && "kind" in answer && answer.kind === "info") return answer;
  throw failureOf(oid, answer);
}

function failureOf(oid: ObjectId, answer: Answer | undefined): SluiceError {
  const odd = typeof answer === "object" && "kind" in answer ? answer : undefined;
  if (odd?.kind === "damaged") return odd.error;
  if (odd?.kind === "missing") return missingObject(oid);
  if (odd?.kind === "too-large") return tooLarge(oid, odd.size);
  const words = odd?.kind === "broken" ? `"${odd.line.slice(0, 200)}"` : "something else than was asked";
  return new SluiceError("GIT_FAILED", `git cat-file answered ${words}`);
}
