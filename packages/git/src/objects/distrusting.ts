import { isSluiceError } from "@sluice/core";
import { DamagedObject, type ManyBlobs, type ObjectReader } from "./object-reader.ts";

/**
 * The reader of a copy, where `distrust` is told of whatever the copy lacks or has damaged: it is there where the copy was
 * taken from.
 */
export function distrusting(reader: ObjectReader, distrust: () => void): ObjectReader {
  const { many } = reader;

  function judge(error: unknown): void {
    if (error instanceof DamagedObject || isSluiceError(error, "GIT_OBJECT_MISSING")) distrust();
  }
  async function judged<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      judge(error);
      throw error;
    }
  }
  function manyJudged(blobs: ManyBlobs): ManyBlobs {
    return {
      sizes: (oids, signal) => judged(blobs.sizes(oids, signal)),
      async contents(oids, sizes, signal) {
        const read = await judged(blobs.contents(oids, sizes, signal));
        judge(read.failure);
        return read;
      },
    };
  }
  return {
    read: (oid, signal) => judged(reader.read(oid, signal)),
    ...(many
      ? {
          async many() {
            const blobs = await many();
            return blobs && manyJudged(blobs);
          },
        }
      : {}),
    close: reader.close,
  };
}
