import { type Clock, type ObjectId, SluiceError } from "@sluice/core";
import { type Batch, BatchEnded, startBatch } from "./batch.ts";
import type { GitObject, LargestBytes, ObjectReader } from "./object-reader.ts";

export interface CatFileOptions {
  /** The `git` program. */
  readonly git: string;
  /** True where git knows `cat-file --batch-command` (2.36): then no object beyond the limit is ever inflated. */
  readonly asksSizes: boolean;
  readonly gitDir: () => Promise<string>;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** How long git may be silent while an answer is due, in milliseconds. */
  readonly timeoutMs: number;
  readonly largestBytes: LargestBytes;
}

/** Objects through one long-lived `git cat-file`, started when first needed and again after it died. */
export function catFileReader(options: CatFileOptions): ObjectReader {
  let batch: Promise<Batch> | undefined;
  let closed = false;

  function running(): Promise<Batch> {
    batch ??= start();
    return batch;
  }
  function start(): Promise<Batch> {
    const forget = () => {
      if (batch === started) batch = undefined;
    };
    const started = options.gitDir().then((gitDir) => startBatch(options, gitDir, forget));
    started.catch(forget);
    return started;
  }
  async function askOnce(oid: ObjectId): Promise<GitObject> {
    if (closed) throw new SluiceError("GIT_FAILED", "the source is closed");
    const to = await running();
    return new Promise((resolve, reject) => to.ask({ oid, resolve, reject }));
  }

  return {
    async read(oid, signal) {
      signal?.throwIfAborted();
      try {
        return await askOnce(oid);
      } catch (error) {
        // A child that was killed from outside answers nothing more; a fresh one may.
        if (!(error instanceof BatchEnded) || closed) throw error;
        signal?.throwIfAborted();
        return askOnce(oid);
      }
    },
    async close() {
      closed = true;
      (await batch?.catch(() => undefined))?.end();
    },
  };
}
