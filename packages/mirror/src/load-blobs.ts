import {
  displayPath,
  type FilePath,
  isSluiceError,
  type ObjectId,
  OK,
  type Outcome,
  type Problem,
  type Source,
} from "@sluice/core";
import type { Pass } from "./pass.ts";
import { refuse } from "./refuse.ts";

/** Contents kept in memory between measuring and writing. Where there is more, all of it is read a second time. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/** Contents that are too large, with their length where it is known. */
type TooLarge = ReadonlyMap<ObjectId, number | undefined>;

/**
 * Measures every content that is to be written, before anything is written: a revision with a file that is too large is
 * refused whole. What may fit one transaction is read for it; of more, only the lengths are asked for where the source can
 * tell them, and the contents are read while they are written.
 */
export async function loadBlobs(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  if (!pass.work) return OK;
  const { puts } = pass.work;
  const { kv, maxFileBytes, source } = pass.settings;
  const most = Math.min(maxFileBytes, kv.limits.valueBytes);
  const oids = [...new Set(puts.map((put) => put.oid))];
  const alone = puts.length <= kv.limits.operations || !source.blobs.sizes;
  const tooLarge = alone ? await load(pass, oids, most, signal) : await measure(source, oids, most, signal);
  if (tooLarge.size === 0) return OK;
  const problems = puts
    .filter(({ oid }) => tooLarge.has(oid))
    .map(({ path, oid }) => problem(path, tooLarge.get(oid), limitText(maxFileBytes, kv.limits.valueBytes)));
  return refuse(pass, problems, sentence(problems));
}

async function measure(
  source: Source,
  oids: readonly ObjectId[],
  most: number,
  signal: AbortSignal,
): Promise<TooLarge> {
  const sizes = (await source.blobs.sizes?.(oids, signal)) ?? [];
  const measured = oids.map((oid, at) => [oid, sizes[at]] as const);
  return new Map(measured.filter(([, size]) => size === undefined || size > most));
}

async function load(
  pass: Pass,
  oids: readonly ObjectId[],
  most: number,
  signal: AbortSignal,
): Promise<TooLarge> {
  const blobs = new Map<ObjectId, Uint8Array>();
  const tooLarge = new Map<ObjectId, number | undefined>();
  let total = 0;
  for await (const { oid, bytes } of contents(pass, oids, signal)) {
    if (bytes === undefined || bytes.byteLength > most) tooLarge.set(oid, bytes?.byteLength);
    total += bytes?.byteLength ?? 0;
    if (total > MOST_KEPT_BYTES) blobs.clear();
    else if (bytes) blobs.set(oid, bytes);
  }
  pass.blobs = blobs;
  return tooLarge;
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
      for await (const bytes of pass.settings.source.blobs.read(oids.slice(at), signal))
        yield { oid: oids[at++] as ObjectId, bytes };
      return;
    } catch (error) {
      if (!isSluiceError(error, "FILE_TOO_LARGE")) throw error;
      yield { oid: oids[at++] as ObjectId, bytes: undefined };
    }
  }
}

/** The limit that is broken, by the name under which it can be changed. */
function limitText(maxFileBytes: number, valueBytes: number): string {
  return maxFileBytes <= valueBytes
    ? `limits.maxFileBytes allows ${maxFileBytes}`
    : `a value of the KV holds ${valueBytes} at the most`;
}

function problem(file: FilePath, bytes: number | undefined, limit: string): Problem {
  const size = bytes === undefined ? "far too many bytes" : `${bytes} bytes`;
  return {
    file,
    reason: "InvalidSpec",
    message: `the file has ${size}; ${limit}`,
    hint: "Make the file smaller, or take it out of the environment's folder.",
  };
}

function sentence(problems: readonly Problem[]): string {
  const [first] = problems;
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return first ? `${displayPath(first.file)}: ${first.message}${others}` : "";
}
