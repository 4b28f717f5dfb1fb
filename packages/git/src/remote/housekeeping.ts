import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface Housekeeping {
  /** Tidies the clone up in the background where it has become worth it. */
  afterFetch(clone: string): void;
  stop(): Promise<void>;
}

/** Every fetch leaves a pack, and git looks into each of them in turn. */
const MOST_PACKS = 40;

/** @param collect runs `git gc` in a clone; its failure does no harm, and the next fetch asks again. */
export function housekeeping(
  collect: (clone: string, signal: AbortSignal) => Promise<unknown>,
): Housekeeping {
  const stopping = new AbortController();
  let running: Promise<unknown> | undefined;

  async function tidy(clone: string): Promise<void> {
    const names = await readdir(join(clone, "objects", "pack"));
    if (names.filter((name) => name.endsWith(".pack")).length > MOST_PACKS)
      await collect(clone, stopping.signal);
  }

  return {
    afterFetch(clone) {
      if (stopping.signal.aborted) return;
      running ??= tidy(clone)
        .catch(() => undefined)
        .finally(() => {
          running = undefined;
        });
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
