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
const BLOB = Buffer.from("blob ");
const HEADER = /^(commit|tree|tag) (\d{1,15})$/;
/** Longer than any header git writes; beyond it the stream is not what we think. */
const LONGEST_HEADER = 4096;

interface Body {
  readonly size: number;
  readonly kept: boolean;
  /** What came of it so far, where it does not lie in one chunk; made when it is needed. */
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
  const largestBlob = largestBytes("blob");
  /** What came of a header, where it does not lie in one chunk. */
  let begun: Buffer | undefined;
  let body: Body | undefined;

  function takeHeader(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(LINE_FEED, from);
    if (begun === undefined && end >= 0) {
      header(chunk, from, end);
      return end + 1;
    }
    const part = chunk.subarray(from, end < 0 ? chunk.length : end);
    const line = begun ? Buffer.concat([begun, part]) : Buffer.from(part);
    begun = end < 0 && line.length <= LONGEST_HEADER ? line : undefined;
    if (!begun) header(line, 0, line.length);
    return end < 0 ? chunk.length : end + 1;
  }

  function header(chunk: Buffer, from: number, to: number): void {
    const size = blobSize(chunk, from, to);
    if (size === undefined) otherHeader(chunk.toString("latin1", from, Math.min(to, from + LONGEST_HEADER)));
    else if (headerOnly()) answer(size);
    else body = { size, kept: size <= largestBlob, filled: 0 };
  }

  function otherHeader(line: string): void {
    const [, name, digits] = HEADER.exec(line) ?? [];
    const type = name as GitObject["type"];
    const size = Number(digits);
    if (line.endsWith(" missing")) answer({ kind: "missing" });
    else if (!name) broken(line);
    else if (headerOnly()) answer({ kind: "info", type, size });
    else body = { size, kept: size <= largestBytes(type), filled: 0 };
  }

  function takeBody(chunk: Buffer, from: number, into: Body): number {
    const end = from + into.size - into.filled;
    const ends = end < chunk.length;
    if (into.kept && !(ends && into.filled === 0)) {
      into.bytes ??= Buffer.allocUnsafe(into.size);
      chunk.copy(into.bytes, into.filled, from, Math.min(end, chunk.length));
    }
    into.filled += Math.min(end, chunk.length) - from;
    if (!ends) return chunk.length;
    body = undefined;
    answer(into.kept ? (into.bytes ?? chunk.subarray(from, end)) : { kind: "too-large", size: into.size });
    return end + 1;
  }

  return (chunk) => {
    for (let at = 0; at < chunk.length; ) at = body ? takeBody(chunk, at, body) : takeHeader(chunk, at);
  };
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
