import {
  displayPath,
  type FilePath,
  isSluiceError,
  type ObjectId,
  OK,
  type Outcome,
  type Problem,
} from "@sluice/core";
import type { Pass } from "./pass.ts";
import { refuse } from "./refuse.ts";

/** Contents kept in memory between measuring and writing. Where there is more, all of it is read a second time. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/**
 * Reads and measures every content that is to be written, before anything is written: a revision with a file that is too
 * large is refused whole.
 */
export async function loadBlobs(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  if (!pass.work) return OK;
  const { puts } = pass.work;
  const blobs = new Map<ObjectId, Uint8Array>();
  const tooLarge = new Map<ObjectId, number | undefined>();
  const most = Math.min(pass.settings.maxFileBytes, pass.settings.kv.limits.valueBytes);
  let total = 0;
  for await (const { oid, bytes } of contents(pass, [...new Set(puts.map((put) => put.oid))], signal)) {
    if (bytes === undefined || bytes.byteLength > most) tooLarge.set(oid, bytes?.byteLength);
    total += bytes?.byteLength ?? 0;
    if (total > MOST_KEPT_BYTES) blobs.clear();
    else if (bytes) blobs.set(oid, bytes);
  }
  pass.blobs = blobs;
  if (tooLarge.size === 0) return OK;
  const problems = puts
    .filter(({ oid }) => tooLarge.has(oid))
    .map(({ path, oid }) => problem(path, tooLarge.get(oid), most));
  return refuse(pass, problems, sentence(problems));
}

/** Contents in order; undefined for one so large that the source does not read it. */
async function* contents(
  pass: Pass,
  oids: readonly ObjectId[],
  signal: AbortSignal,
): AsyncIterable<{ oid: ObjectId; bytes: Uint8Array | undefined }> {
  let at = 0;
  while (at < oids.length) {
    try {
      for await (const bytes of pass.settings.source.read(oids.slice(at), signal))
        yield { oid: oids[at++] as ObjectId, bytes };
      return;
    } catch (error) {
      if (!isSluiceError(error, "FILE_TOO_LARGE")) throw error;
      yield { oid: oids[at++] as ObjectId, bytes: undefined };
    }
  }
}

function problem(file: FilePath, bytes: number | undefined, most: number): Problem {
  const size = bytes === undefined ? "far too many bytes" : `${bytes} bytes`;
  return {
    file,
    reason: "InvalidSpec",
    message: `the file has ${size}; a value of the KV may have ${most}`,
    hint: "Make the file smaller, or take it out of the environment's folder.",
  };
}

function sentence(problems: readonly Problem[]): string {
  const [first] = problems;
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return first ? `${displayPath(first.file)}: ${first.message}${others}` : "";
}
