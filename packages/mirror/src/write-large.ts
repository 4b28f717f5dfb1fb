import {
  encodeRecord,
  type KvOp,
  type ObjectId,
  OK,
  type Outcome,
  type RevisionMarker,
  SluiceError,
} from "@sluice/core";
import { type ChunkWriter, chunkWriter } from "./chunk-writer.ts";
import { commitFenced, conflict, indexAfter } from "./fenced-commit.ts";
import { finalOps, putOp, removalOp, withTidying } from "./operations.ts";
import type { MarkerState, Pass, Work } from "./pass.ts";

/**
 * Marker `applying`, then creates and updates, then deletes, in as few transactions as the limits allow. Each verifies that
 * the marker is still ours. `mark` ends it.
 */
export async function writeLarge(pass: Pass, work: Work, signal: AbortSignal): Promise<Outcome> {
  // The first contents are on their way while the marker is written.
  const values = contents(pass, work, signal);
  const first = values.next();
  first.catch(() => undefined);
  try {
    const applying = await markApplying(pass, work, signal);
    if (applying === undefined) return conflict(work);
    const writer = chunkWriter(pass, work, applying.index, signal);
    try {
      if (!(await writeAll(pass, work, { first, values }, writer))) return conflict(work);
    } finally {
      // Whatever ended it, nothing of this pass is under way once it is over.
      await writer.settled();
    }
    const transactions = writer.transactions() + 1;
    pass.written = { ...applying, final: undefined, transactions, indexes: writer.indexes };
    return OK;
  } finally {
    void values.return().catch(() => undefined);
  }
}

type Values = AsyncGenerator<Uint8Array, void>;

/** False: another hand was faster. */
async function writeAll(
  pass: Pass,
  work: Work,
  { first, values }: { readonly first: ReturnType<Values["next"]>; readonly values: Values },
  writer: ChunkWriter,
): Promise<boolean> {
  const { layout } = pass.settings;
  let next = await first;
  for (const put of work.puts) {
    if (next.done) throw new SluiceError("INTERNAL", "the source gave fewer contents than it was asked for");
    const added = writer.add(put.path, putOp(layout.file(put.path), put, next.value));
    if (added !== true && !(await added)) return false;
    next = await values.next();
  }
  // Nothing is deleted before all that takes its place is there.
  if (!(await writer.flush())) return false;
  for (const removal of work.removals) {
    const op = removalOp(layout.file(removal.path), removal);
    if (!(await writer.add(removal.path, op))) return false;
  }
  return writer.flush();
}

/** Ends a large revision: everything is there, so the marker may say so. */
export async function mark(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { work, written } = pass;
  if (!work || !written || written.final) return OK;
  const final = withTidying(pass, work, finalOps(pass, work, written.index));
  const index = await commitFenced(pass, final, signal);
  if (index === undefined) return conflict(work);
  const transactions = written.transactions + 1;
  pass.written = { ...written, index, markerValue: encodeRecord(work.marker), final, transactions };
  return OK;
}

async function markApplying(pass: Pass, work: Work, signal: AbortSignal) {
  const before = pass.marker as MarkerState;
  const { record } = before;
  const previous = record?.state === "applying" ? record.previous : record?.revision;
  const marker: RevisionMarker = { ...work.marker, state: "applying", previous };
  const markerValue = encodeRecord(marker);
  const key = pass.settings.layout.revision;
  const ops: KvOp[] = [{ verb: "cas", key, value: markerValue, index: before.index }];
  const index = await commitFenced(pass, ops, signal);
  if (index === undefined) return undefined;
  return { markerValue, index: indexAfter(before, markerValue, index) };
}

/** The contents in the order of the puts: from memory where all of them are there, else read once more. */
async function* contents(pass: Pass, work: Work, signal: AbortSignal): Values {
  const { blobs = new Map<ObjectId, Uint8Array>() } = pass;
  const oids = work.puts.map((put) => put.oid);
  if (!oids.every((oid) => blobs.has(oid))) return yield* pass.settings.source.blobs.read(oids, signal);
  for (const oid of oids) yield blobs.get(oid) as Uint8Array;
}
