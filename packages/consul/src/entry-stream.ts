import { Writable } from "node:stream";
import type { RawEntry } from "./raw-answers.ts";

/** A list's answer, taken apart while it arrives. */
export interface EntryStream {
  readonly sink: Writable;
  /** True once the answer was whole: an array from its first byte to its last. */
  complete(): boolean;
}

/** How much of an answer is gathered before its entries are read: about what comes at once. Larger pieces take twice the time. */
const PIECE_BYTES = 64 * 1024;
const BETWEEN = "},{";

/**
 * Reads Consul's `[{…},{…}]` piece by piece. A piece ends at the last `},{`; where that stands inside of a key, the quotes of
 * the piece do not match, so it cannot be parsed, and a later one is looked for.
 */
export function entryStream(take: (entry: RawEntry) => void): EntryStream {
  let pieces: Buffer[] = [];
  let gathered = 0;
  let began = false;
  let complete = false;

  function gather(): Buffer {
    const all = Buffer.concat(pieces);
    if (began || all.length === 0) return all;
    began = true;
    // What does not begin as an array cannot end as one: nothing is read of it.
    return all[0] === 0x5b ? all.subarray(1) : Buffer.from("!");
  }
  function keep(rest: Buffer) {
    pieces = [rest];
    gathered = 0;
  }
  return {
    complete: () => complete,
    sink: new Writable({
      write(chunk: Buffer, _encoding, done) {
        pieces.push(chunk);
        gathered += chunk.length;
        // What is left of a long entry is only looked at again once there is as much more of it.
        if (gathered >= Math.max(PIECE_BYTES, pieces[0]?.length ?? 0)) {
          const all = gather();
          const cut = all.lastIndexOf(BETWEEN);
          const entries = cut < 0 ? undefined : parsed(`[${all.toString("utf8", 0, cut + 1)}]`);
          for (const entry of entries ?? []) take(entry);
          keep(entries ? all.subarray(cut + 2) : all);
        }
        done();
      },
      final(done) {
        const entries = parsed(`[${gather().toString("utf8")}`);
        for (const entry of entries ?? []) take(entry);
        complete = entries !== undefined;
        keep(Buffer.alloc(0));
        done();
      },
    }),
  };
}

function parsed(text: string): readonly RawEntry[] | undefined {
  try {
    return JSON.parse(text) as readonly RawEntry[];
  } catch {
    return undefined;
  }
}
