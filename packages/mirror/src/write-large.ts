import { encodeRecord, type KvOp, type ObjectId, OK, type Outcome, SluiceError } from "@sluice/core";
import { type ChunkWriter, chunkWriter, type Finish, noteWritten } from "./chunk-writer.ts";
import { commitFenced, conflict } from "./fenced-commit.ts";
import { finalOps, fitsOne, putOp, removalOp, withTidying } from "./operations.ts";
import type { Pass, Work, Written } from "./pass.ts";

/**
 * Creates and updates, then deletes, in as few transactions as the limits allow: the first also moves the marker to `applying`,
 * the others verify that it is still ours. `mark` ends it.
 */
export async function writeLarge(pass: Pass, work: Work, signal: AbortSignal): Promise<Outcome> {
  const writer = chunkWriter(pass, work, signal);
  try {
    const finish = await writeAll(pass, work, writer, signal);
    if (!finish) return conflict(work);
    pass.written = { ...finish, final: undefined };
    return OK;
  } finally {
    // Whatever ended it, nothing of this pass is under way once it is over.
    await writer.settled();
  }
}

/** False: another hand was faster. */
async function writeAll(
  pass: Pass,
  work: Work,
  writer: ChunkWriter,
  signal: AbortSignal,
): Promise<Finish | false> {
  const { layout } = pass.settings;
  let at = 0;
  for await (const value of contents(pass, work, signal)) {
    const put = work.puts[at++];
    if (!put) break;
    const added = writer.add(put.path, putOp(layout.file(put.path), put, value));
    if (added !== true && !(await added)) return false;
  }
  if (at !== work.puts.length)
    throw new SluiceError(
      "INTERNAL",
      `the source gave ${at} contents where ${work.puts.length} were asked for`,
    );
  // Nothing is deleted before all that takes its place is there.
  if (work.removals.length > 0 && !(await writer.flush())) return false;
  for (const removal of work.removals) {
    const added = writer.add(removal.path, removalOp(layout.file(removal.path), removal));
    if (added !== true && !(await added)) return false;
  }
  return writer.finish();
}

/** Ends a large revision: with the last few operations everything is there, so the marker may say so. */
export async function mark(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { work, written } = pass;
  if (!work || !written || written.final) return OK;
  const { rest, indexes } = written;
  const marker = finalOps(pass, work, written.index);
  let transactions = written.transactions + 1;
  let final = [...marker, ...rest.map(({ op }) => op)];
  if (!fitsOne(pass.settings.kv, final)) {
    if (!(await writeRest(pass, written, signal))) return conflict(work);
    transactions += 1;
    final = marker;
  }
  const ops = withTidying(pass, work, final);
  const index = await commitFenced(pass, ops, signal);
  if (index === undefined) return conflict(work);
  if (final !== marker) noteWritten(indexes, rest, index);
  pass.written = { ...written, index, markerValue: encodeRecord(work.marker), final: ops, transactions };
  return OK;
}

/** Where the marker and its record leave too little room. */
async function writeRest(
  pass: Pass,
  { index: markerIndex, rest, indexes }: Written,
  signal: AbortSignal,
): Promise<boolean> {
  const check: KvOp = { verb: "check-index", key: pass.settings.layout.revision, index: markerIndex };
  const index = await commitFenced(pass, [check, ...rest.map(({ op }) => op)], signal);
  if (index === undefined) return false;
  noteWritten(indexes, rest, index);
  return true;
}

/** The contents in the order of the puts: from memory where all of them are there, else read once more. */
async function* contents(pass: Pass, work: Work, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const { blobs = new Map<ObjectId, Uint8Array>() } = pass;
  const oids = work.puts.map((put) => put.oid);
  if (!oids.every((oid) => blobs.has(oid))) return yield* pass.settings.source.blobs.read(oids, signal);
  for (const oid of oids) yield blobs.get(oid) as Uint8Array;
}
