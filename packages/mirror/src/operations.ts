import { encodeRecord, type Kv, type KvOp } from "@sluice/core";
import { tidyOps } from "./history.ts";
import type { Pass, Put, Removal, Work } from "./pass.ts";

/** What the fence and the brackets around the operations take of a request's body, generously. */
const ENVELOPE_BYTES = 1024;
/** Names, quotes and numbers around one operation's key and value in JSON, generously. */
const OPERATION_BYTES = 128;

/** Bytes of a transaction's body left for operations. */
export function bodyRoom({ limits }: Kv): number {
  return limits.bodyBytes - ENVELOPE_BYTES;
}

/** How much of a transaction's JSON body an operation takes; values travel as base64. */
export function operationBytes(op: KvOp): number {
  const value = "value" in op ? Math.ceil(op.value.byteLength / 3) * 4 : 0;
  return OPERATION_BYTES + Buffer.byteLength(op.key) + value;
}

export function fitsOne(kv: Kv, ops: readonly KvOp[]): boolean {
  if (ops.length > kv.limits.operations) return false;
  return ops.reduce((sum, op) => sum + operationBytes(op), 0) <= bodyRoom(kv);
}

export function putOp(key: string, { index }: Put, value: Uint8Array): KvOp {
  return { verb: "cas", key, value, index };
}

export function removalOp(key: string, { index }: Removal): KvOp {
  return { verb: "delete-cas", key, index };
}

/** The operations that make the revision whole: its marker moves, its record of changes is there. */
export function finalOps({ settings }: Pass, work: Work, markerIndex: string): KvOp[] {
  const { layout, shared } = settings;
  const value = encodeRecord(work.marker);
  const marker: KvOp = { verb: "cas", key: layout.revision, value, index: markerIndex };
  const ops: KvOp[] = [marker];
  if (shared?.writeRef && shared.ref !== undefined)
    ops.push({ verb: "set", key: shared.ref, value: Buffer.from(work.commit) });
  if (work.record)
    ops.push({ verb: "set", key: layout.change(work.commit), value: encodeRecord(work.record) });
  return ops;
}

/** The operations, and as many deletions of old records of changes as fit beside them. */
export function withTidying(pass: Pass, work: Work, ops: readonly KvOp[]): readonly KvOp[] {
  if (!work.record) return ops;
  const { kv } = pass.settings;
  const all = [...ops, ...tidyOps(pass, work, Math.max(0, kv.limits.operations - ops.length))];
  return fitsOne(kv, all) ? all : ops;
}
