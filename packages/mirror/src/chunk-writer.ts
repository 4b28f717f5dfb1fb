import type { FilePath, KvOp } from "@sluice/core";
import { commitFenced } from "./fenced-commit.ts";
import { bodyRoom, operationBytes } from "./operations.ts";
import type { Pass, Work } from "./pass.ts";
import { pipeline } from "./pipeline.ts";

/**
 * Gathers operations into transactions that fit, a few of them under way at a time; each verifies that the marker is still
 * ours. What is added between two flushes may be written in any order.
 */
export interface ChunkWriter {
  /** True at once where it only waits for others. False, here and in `flush`: another hand was faster, and nothing more may be written. */
  add(path: FilePath, op: KvOp): true | Promise<boolean>;
  /** Resolves once all that was added is written. */
  flush(): Promise<boolean>;
  /** Resolves once nothing is under way, however it ended. Never rejects. */
  settled(): Promise<void>;
  transactions(): number;
  /** ModifyIndexes of what was written; undefined: not known. */
  readonly indexes: ReadonlyMap<FilePath, string | undefined>;
}

/** Events of progress are at least this far apart, in milliseconds. */
const PROGRESS_EVERY_MS = 300;
/** Consul writes its log once for transactions that arrive together; more than a few only queue there. */
const TRANSACTIONS_AT_ONCE = 6;

interface Addition {
  readonly path: FilePath;
  readonly op: KvOp;
}

export function chunkWriter(pass: Pass, work: Work, markerIndex: string, signal: AbortSignal): ChunkWriter {
  const { kv, layout } = pass.settings;
  const check: KvOp & { verb: "check-index" } = {
    verb: "check-index",
    key: layout.revision,
    index: markerIndex,
  };
  const progress = progressTeller(pass, work);
  const indexes = new Map<FilePath, string | undefined>();
  const line = pipeline(TRANSACTIONS_AT_ONCE);
  let transactions = 0;
  let chunk: Addition[] = [];
  let bytes = operationBytes(check);

  async function writeChunk(additions: readonly Addition[]): Promise<boolean> {
    const index = await commitFenced(pass, [check, ...additions.map(({ op }) => op)], signal);
    if (index === undefined) return false;
    for (const { path } of additions) indexes.set(path, index);
    transactions += 1;
    progress(additions.length);
    return true;
  }
  async function writeAlone(path: FilePath, op: KvOp & { verb: "cas" }): Promise<boolean> {
    indexes.set(path, undefined);
    transactions += 2;
    progress(1);
    return putAlone(pass, check, op, signal);
  }
  async function startChunk(): Promise<boolean> {
    if (chunk.length === 0) return true;
    const full = chunk;
    chunk = [];
    bytes = operationBytes(check);
    return line.start(() => writeChunk(full));
  }
  return {
    indexes,
    flush: async () => (await startChunk()) && line.drain(),
    settled: () =>
      line.drain().then(
        () => undefined,
        () => undefined,
      ),
    transactions: () => transactions,
    add(path, op) {
      const size = operationBytes(op);
      if (op.verb === "cas" && operationBytes(check) + size > bodyRoom(kv))
        return line.start(() => writeAlone(path, op));
      const full = chunk.length + 2 > kv.limits.operations || bytes + size > bodyRoom(kv);
      const started = full ? startChunk() : true;
      chunk.push({ path, op });
      bytes += size;
      return started;
    },
  };
}

/**
 * A value beyond a transaction cannot carry the fence, so the key is taken first, by a transaction that does: it then holds
 * what no file holds. Whoever looks next has to change that, and with it the index without which a late value does not count.
 */
async function putAlone(
  pass: Pass,
  check: KvOp & { verb: "check-index" },
  op: KvOp & { verb: "cas" },
  signal: AbortSignal,
): Promise<boolean> {
  const mark = `sluice: being written under the lock ${pass.fence.session} and the marker ${check.index}`;
  const index = await commitFenced(pass, [check, { ...op, value: Buffer.from(mark) }], signal);
  return index !== undefined && pass.settings.kv.putLarge(op.key, op.value, index, signal);
}

function progressTeller({ settings }: Pass, work: Work): (count: number) => void {
  const { clock, emit } = settings;
  const total = work.puts.length + work.removals.length;
  let toldAt = clock.now();
  let done = 0;
  return (count) => {
    done += count;
    if (clock.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = clock.now();
    emit({ type: "mirror.progress", done, total, revision: work.marker.revision });
  };
}
