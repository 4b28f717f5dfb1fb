import type { GitObject, LargestBytes } from "./object-reader.ts";

/** One answer of `git cat-file --batch` or `--batch-command`. */
export type BatchAnswer =
  | { readonly kind: "object"; readonly object: GitObject }
  | { readonly kind: "info"; readonly type: GitObject["type"]; readonly size: number }
  | { readonly kind: "missing" }
  | { readonly kind: "too-large"; readonly size: number }
  | { readonly kind: "broken"; readonly line: string };

export interface BatchOutputOptions {
  readonly largestBytes: LargestBytes;
  /** Whether the answer that begins now is a header alone: the answer to `info`. */
  readonly headerOnly: () => boolean;
  readonly answer: (one: BatchAnswer) => void;
}

const LINE_FEED = 0x0a;
const HEADER = /^[0-9a-f]{40} (commit|tree|blob|tag) (\d+)$/;
/** Longer than any header git writes; beyond it the stream is not what we think. */
const LONGEST_HEADER = 4096;

/**
 * Takes the stream apart: `<oid> SP <type> SP <size> LF`, then, unless only that was asked for, `<bytes> LF`; or
 * `<oid> SP missing LF`. Objects beyond the limit are read past without being kept.
 */
export function batchOutput({
  largestBytes,
  headerOnly,
  answer,
}: BatchOutputOptions): (chunk: Buffer) => void {
  /** What came of a header so far. */
  let header = "";
  let body: { type: GitObject["type"]; size: number; bytes: Buffer | undefined; filled: number } | undefined;

  function takeHeader(chunk: Buffer): Buffer {
    const end = chunk.indexOf(LINE_FEED);
    header += chunk.toString("latin1", 0, Math.min(end < 0 ? chunk.length : end, LONGEST_HEADER + 1));
    if (end < 0 && header.length <= LONGEST_HEADER) return Buffer.alloc(0);
    const line = header.slice(0, LONGEST_HEADER);
    header = "";
    const [, name, digits] = HEADER.exec(line) ?? [];
    const type = name as GitObject["type"];
    const size = Number(digits);
    if (!name) answer(line.endsWith(" missing") ? { kind: "missing" } : { kind: "broken", line });
    else if (headerOnly()) answer({ kind: "info", type, size });
    else {
      const bytes = size <= largestBytes(type) ? Buffer.allocUnsafe(size) : undefined;
      body = { type, size, bytes, filled: 0 };
    }
    return chunk.subarray(end < 0 ? chunk.length : end + 1);
  }

  function takeBody(chunk: Buffer, into: NonNullable<typeof body>): Buffer {
    const part = Math.min(chunk.length, into.size - into.filled);
    if (into.bytes) chunk.copy(into.bytes, into.filled, 0, part);
    into.filled += part;
    if (part === chunk.length) return chunk.subarray(part);
    body = undefined;
    if (into.bytes) answer({ kind: "object", object: { type: into.type, bytes: into.bytes } });
    else answer({ kind: "too-large", size: into.size });
    return chunk.subarray(part + 1);
  }

  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) rest = body ? takeBody(rest, body) : takeHeader(rest);
  };
}
