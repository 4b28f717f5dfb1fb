import type { FilePath, KvOp } from "@sluice/core";
import { commitFenced } from "./fenced-commit.ts";
import { bodyRoom, operationBytes } from "./operations.ts";
import type { Pass, Work } from "./pass.ts";

/** Gathers operations into transactions that fit; each verifies that the marker is still ours. */
export interface ChunkWriter {
  /** False, here and in `flush`: another hand was faster, and nothing more may be written. */
  add(path: FilePath, op: KvOp): Promise<boolean>;
  flush(): Promise<boolean>;
  transactions(): number;
  /** ModifyIndexes of what was written; undefined: not known. */
  readonly indexes: ReadonlyMap<FilePath, string | undefined>;
}

/** Events of progress are at least this far apart, in milliseconds. */
const PROGRESS_EVERY_MS = 300;

export function chunkWriter(pass: Pass, work: Work, markerIndex: string, signal: AbortSignal): ChunkWriter {
  const { kv, layout } = pass.settings;
  const check: KvOp = { verb: "check-index", key: layout.revision, index: markerIndex };
  const progress = progressTeller(pass, work);
  const indexes = new Map<FilePath, string | undefined>();
  let transactions = 0;
  let chunk: { path: FilePath; op: KvOp }[] = [];
  let bytes = operationBytes(check);

  async function flush(): Promise<boolean> {
    if (chunk.length === 0) return true;
    const index = await commitFenced(pass, [check, ...chunk.map(({ op }) => op)], signal);
    if (index === undefined) return false;
    for (const { path } of chunk) indexes.set(path, index);
    transactions += 1;
    progress(chunk.length);
    chunk = [];
    bytes = operationBytes(check);
    return true;
  }
  return {
    indexes,
    flush,
    transactions: () => transactions,
    async add(path, op) {
      const size = operationBytes(op);
      if (op.verb === "cas" && operationBytes(check) + size > bodyRoom(kv)) {
        transactions += 2;
        indexes.set(path, undefined);
        progress(1);
        return putAlone(pass, check, op, signal);
      }
      const full = chunk.length + 2 > kv.limits.operations || bytes + size > bodyRoom(kv);
      if (full && !(await flush())) return false;
      chunk.push({ path, op });
      bytes += size;
      return true;
    },
  };
}

/** A value beyond a transaction cannot carry the fence; the lock and the marker are verified right before. */
async function putAlone(
  pass: Pass,
  check: KvOp,
  op: KvOp & { verb: "cas" },
  signal: AbortSignal,
): Promise<boolean> {
  if ((await commitFenced(pass, [check], signal)) === undefined) return false;
  return pass.settings.kv.putLarge(op.key, op.value, op.index, signal);
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
