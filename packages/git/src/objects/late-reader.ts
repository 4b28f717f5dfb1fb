import type { ObjectReader } from "./object-reader.ts";

/**
 * A reader that is still being chosen: whoever asks it first waits for it.
 * @param closing is aborted when nobody needs it any more, chosen or not.
 */
export function lateReader(coming: Promise<ObjectReader>, closing: AbortController): ObjectReader {
  coming.then(
    (reader) => closing.signal.aborted || reader.start?.(),
    // Told to whoever asks.
    () => undefined,
  );
  return {
    read: async (oid, signal) => (await coming).read(oid, signal),
    many: async () => (await coming).many?.(),
    async close() {
      closing.abort();
      await (await coming.catch(() => undefined))?.close();
    },
  };
}
