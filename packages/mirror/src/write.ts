import { encodeRecord, type KvOp, OK, type Outcome } from "@sluice/core";
import { commitFenced, conflict, indexAfter } from "./fenced-commit.ts";
import { bodyRoom, finalOps, fitsOne, operationBytes, putOp, removalOp, withTidying } from "./operations.ts";
import type { MarkerState, Pass, Work } from "./pass.ts";
import { writeLarge } from "./write-large.ts";

/** Writes the work: in one transaction, marker and all, where it fits; else in fenced chunks while the marker says so. */
export async function write(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { work } = pass;
  if (!work) return OK;
  // From here on a lost answer leaves us not knowing; what is written is remembered again once it is all there.
  pass.memory.known = undefined;
  const ops = singleTransaction(pass, work);
  if (!ops) return writeLarge(pass, work, signal);
  const index = await commitFenced(pass, ops, signal);
  if (index === undefined) return conflict(work);
  const markerValue = encodeRecord(work.marker);
  pass.written = {
    index: indexAfter(pass.marker as MarkerState, markerValue, index),
    markerValue,
    final: ops,
    rest: [],
    transactions: 1,
    indexes: new Map(work.puts.map(({ path }) => [path, index])),
  };
  return OK;
}

/** All of it, or undefined where it is too much for one transaction. */
function singleTransaction(pass: Pass, work: Work): readonly KvOp[] | undefined {
  const { kv, layout } = pass.settings;
  if (work.puts.length + work.removals.length > kv.limits.operations) return undefined;
  const ops = finalOps(pass, work, (pass.marker as MarkerState).index);
  let bytes = ops.reduce((sum, op) => sum + operationBytes(op), 0);
  for (const put of work.puts) {
    const value = pass.blobs?.get(put.oid);
    if (!value) return undefined;
    const op = putOp(layout.file(put.path), put, value);
    bytes += operationBytes(op);
    if (bytes > bodyRoom(kv)) return undefined;
    ops.push(op);
  }
  ops.push(...work.removals.map((removal) => removalOp(layout.file(removal.path), removal)));
  return fitsOne(kv, ops) ? withTidying(pass, work, ops) : undefined;
}
