import type { GitObject, LargestBytes } from "./object-reader.ts";

/** What git is to write before each object, for `--batch-command` and its like: nothing that was not asked for. */
export const HEADER_FORMAT = "%(objecttype) %(objectsize)";

/** One answer of `git cat-file`. */
export type BatchAnswer =
  /** How long a blob is: most objects are blobs. */
  | number
  /** How long another object is. */
  | { readonly kind: "info"; readonly type: GitObject["type"]; readonly size: number }
  /** An object's content. */
  | Buffer
  | { readonly kind: "missing" }
  | { readonly kind: "too-large"; readonly size: number };

export interface BatchOutputOptions {
  readonly largestBytes: LargestBytes;
  /** Whether the answer that begins now is a header alone: the answer to `info`. */
  readonly headerOnly: () => boolean;
  readonly answer: (one: BatchAnswer) => void;
  /** Told of a line that is no header; what follows it means nothing. */
  readonly broken: (line: string) => void;
}

const LINE_FEED = 0x0a;
const NOTHING = Buffer.alloc(0);
const BLOB = Buffer.from("blob ");
const HEADER = /^(commit|tree|tag) (\d{1,15})$/;
/** Longer than any header git writes; beyond it the stream is not what we think. */
const LONGEST_HEADER = 4096;

interface Body {
  readonly size: number;
  readonly kept: boolean;
  /** What came of it so far, if it is kept. */
  bytes?: Buffer;
  filled: number;
}

/**
 * Takes the stream apart: a header as `HEADER_FORMAT` has it and LF, then, unless only that was asked for, `<bytes> LF`; or
 * `<oid> SP missing LF`. An object that lies within one chunk is a view of it. Objects beyond the limit are read past
 * without being kept.
 */
export function batchOutput({
  largestBytes,
  headerOnly,
  answer,
  broken,
}: BatchOutputOptions): (chunk: Buffer) => void {
  let body: Body | undefined;

  const takeHeader = lines((line, from, to) => {
    const blob = blobSize(line, from, to);
    if (blob === undefined) otherHeader(line.toString("latin1", from, Math.min(to, from + LONGEST_HEADER)));
    else begin("blob", blob);
  });
  function otherHeader(line: string): void {
    const [, name, digits] = HEADER.exec(line) ?? [];
    if (name) begin(name as GitObject["type"], Number(digits));
    else if (line.endsWith(" missing")) answer({ kind: "missing" });
    else broken(line);
  }
  function begin(type: GitObject["type"], size: number): void {
    if (!headerOnly()) body = { size, kept: size <= largestBytes(type), filled: 0 };
    else answer(type === "blob" ? size : { kind: "info", type, size });
  }

  function takeBody(chunk: Buffer, from: number, into: Body): number {
    const end = from + into.size - into.filled;
    if (!fill(into, chunk, from)) return chunk.length;
    body = undefined;
    answer(into.bytes ?? { kind: "too-large", size: into.size });
    return end + 1;
  }

  return (chunk) => {
    for (let at = 0; at < chunk.length; ) at = body ? takeBody(chunk, at, body) : takeHeader(chunk, at);
  };
}

/** Returns what takes a line, and tells it once its end came. @returns where in the chunk the next one begins. */
function lines(
  take: (bytes: Buffer, from: number, to: number) => void,
): (chunk: Buffer, from: number) => number {
  /** What came of a line that does not lie in one chunk. */
  let begun: Buffer | undefined;

  return (chunk, from) => {
    const end = chunk.indexOf(LINE_FEED, from);
    const to = end < 0 ? chunk.length : end;
    if (begun || end < 0) begun = Buffer.concat([begun ?? NOTHING, chunk.subarray(from, to)]);
    if (!begun) take(chunk, from, to);
    else if (end >= 0 || begun.length > LONGEST_HEADER) {
      take(begun, 0, begun.length);
      begun = undefined;
    }
    return to + 1;
  };
}

/** Takes what the chunk has of an object. @returns whether that was its end, with the line feed behind it. */
function fill(into: Body, chunk: Buffer, from: number): boolean {
  const end = Math.min(from + into.size - into.filled, chunk.length);
  const ends = end < chunk.length;
  if (into.kept && ends && into.filled === 0) into.bytes = chunk.subarray(from, end);
  else if (into.kept) {
    into.bytes ??= Buffer.allocUnsafe(into.size);
    chunk.copy(into.bytes, into.filled, from, end);
  }
  into.filled += end - from;
  return ends;
}

const ZERO = 0x30;
const MOST_DIGITS = 15;

/** Of a line `blob <size>`, else undefined. No text is made of the line, as there are many of them. */
function blobSize(line: Buffer, from: number, to: number): number | undefined {
  const digits = from + BLOB.length;
  if (to <= digits || to > digits + MOST_DIGITS) return undefined;
  for (let at = 0; at < BLOB.length; at++) if (line[from + at] !== BLOB[at]) return undefined;
  let size = 0;
  for (let at = digits; at < to; at++) {
    const digit = (line[at] as number) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    size = size * 10 + digit;
  }
  return size;
}
