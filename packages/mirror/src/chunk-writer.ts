import { encodeRecord, type FilePath, type KvOp, type RevisionMarker } from "@sluice/core";
import { commitFenced, indexAfter } from "./fenced-commit.ts";
import { bodyRoom, operationBytes } from "./operations.ts";
import type { Addition, MarkerState, Pass, Work } from "./pass.ts";
import { pipeline } from "./pipeline.ts";
import { progressTeller } from "./progress.ts";

/**
 * Gathers operations into transactions that fit. The first moves the marker to `applying`; those after it verify that the marker
 * is still ours, and a few of them are under way at a time. What is added between two flushes may be written in any order.
 */
export interface ChunkWriter {
  /** True at once where it only waits for others. False, here and below: another hand was faster, and nothing more may be written. */
  add(path: FilePath, op: KvOp): true | Promise<boolean>;
  /** Resolves once all that was added is written. */
  flush(): Promise<boolean>;
  /** Resolves once all but a last few are written, which are left to the transaction that makes the revision whole. */
  finish(): Promise<Finish | false>;
  /** Resolves once nothing is under way, however it ended. Never rejects. */
  settled(): Promise<void>;
}

export interface Finish {
  /** The marker as it is now. */
  readonly index: string;
  readonly markerValue: Uint8Array;
  /** Not written yet; they fit one transaction. */
  readonly rest: readonly Addition[];
  readonly transactions: number;
  /** ModifyIndexes of the files written so far; undefined: not known. */
  readonly indexes: Map<FilePath, string | undefined>;
}

/** Consul writes its log once for transactions that arrive together; more than a few only queue there. */
const TRANSACTIONS_AT_ONCE = 6;

type CheckIndex = KvOp & { readonly verb: "check-index" };

export function chunkWriter(pass: Pass, work: Work, signal: AbortSignal): ChunkWriter {
  const { kv } = pass.settings;
  const opening = openingOf(pass, work);
  // No check is longer than what it checks.
  const envelope = operationBytes(opening);
  const progress = progressTeller(pass, work);
  const indexes = new Map<FilePath, string | undefined>();
  const line = pipeline(TRANSACTIONS_AT_ONCE);
  let check: CheckIndex | undefined;
  let transactions = 0;
  let chunk: Addition[] = [];
  let bytes = envelope;

  async function writeChunk(first: KvOp, additions: readonly Addition[]): Promise<string | undefined> {
    const index = await commitFenced(pass, [first, ...additions.map(({ op }) => op)], signal);
    if (index === undefined) return undefined;
    noteWritten(indexes, additions, index);
    transactions += 1;
    progress(additions.length);
    return index;
  }
  async function open(additions: readonly Addition[]): Promise<boolean> {
    const index = await writeChunk(opening, additions);
    if (index === undefined) return false;
    const now = indexAfter(pass.marker as MarkerState, opening.value, index);
    check = { verb: "check-index", key: opening.key, index: now };
    return true;
  }
  async function startChunk(): Promise<boolean> {
    const full = chunk;
    const now = check;
    chunk = [];
    bytes = envelope;
    if (!now) return open(full);
    return full.length === 0 || line.start(async () => (await writeChunk(now, full)) !== undefined);
  }
  async function alone(path: FilePath, op: KvOp & { verb: "cas" }): Promise<boolean> {
    if (!check && !(await startChunk())) return false;
    const now = check as CheckIndex;
    indexes.set(path, undefined);
    transactions += 2;
    progress(1);
    return line.start(() => putAlone(pass, now, op, signal));
  }
  return {
    flush: async () => (await startChunk()) && line.drain(),
    async finish() {
      if (!check && !(await startChunk())) return false;
      if (!(await line.drain())) return false;
      const { index } = check as CheckIndex;
      return { index, markerValue: opening.value, rest: chunk, transactions, indexes };
    },
    settled: () =>
      line.drain().then(
        () => undefined,
        () => undefined,
      ),
    add(path, op) {
      const size = operationBytes(op);
      if (op.verb === "cas" && envelope + size > bodyRoom(kv)) return alone(path, op);
      const full = chunk.length + 2 > kv.limits.operations || bytes + size > bodyRoom(kv);
      const started = full ? startChunk() : true;
      chunk.push({ path, op });
      bytes += size;
      return started;
    },
  };
}

/** A file that was deleted has no index any more. */
export function noteWritten(
  indexes: Map<FilePath, string | undefined>,
  additions: readonly Addition[],
  index: string,
): void {
  for (const { path, op } of additions) if (op.verb === "cas") indexes.set(path, index);
}

/** The marker as it is while some of the work is done. */
function openingOf({ settings, marker }: Pass, work: Work): KvOp & { verb: "cas" } {
  const { record, index } = marker as MarkerState;
  const previous = record?.state === "applying" ? record.previous : record?.revision;
  const applying: RevisionMarker = { ...work.marker, state: "applying", previous };
  return { verb: "cas", key: settings.layout.revision, value: encodeRecord(applying), index };
}

/**
 * A value beyond a transaction cannot carry the fence, so the key is taken first, by a transaction that does: it then holds
 * what no file holds. Whoever looks next has to change that, and with it the index without which a late value does not count.
 */
async function putAlone(
  pass: Pass,
  check: CheckIndex,
  op: KvOp & { verb: "cas" },
  signal: AbortSignal,
): Promise<boolean> {
  const mark = `sluice: being written under the lock ${pass.fence.session} and the marker ${check.index}`;
  const index = await commitFenced(pass, [check, { ...op, value: Buffer.from(mark) }], signal);
  return index !== undefined && pass.settings.kv.putLarge(op.key, op.value, index, signal);
}
