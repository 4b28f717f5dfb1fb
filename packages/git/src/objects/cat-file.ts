import { type Clock, type ObjectId, SluiceError } from "@sluice/core";
import { type Batch, BatchEnded, startBatch } from "./batch.ts";
import { measuredSizes } from "./measured-sizes.ts";
import type { GitObject, LargestBytes, ObjectReader, ObjectSize } from "./object-reader.ts";

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

/** Objects whose size is remembered until they are read: those of a large repository are measured before the first is. */
const MOST_MEASURED = 65_536;

/** Objects through one long-lived `git cat-file`, started when first needed and again after it died. */
export function catFileReader(options: CatFileOptions): ObjectReader {
  const measured = measuredSizes(MOST_MEASURED);
  let batch: Promise<Batch> | undefined;
  /** The same once it runs: most questions then need not wait for it. */
  let live: Batch | undefined;
  let closed = false;

  function running(): Promise<Batch> {
    batch ??= start();
    return batch;
  }
  function start(): Promise<Batch> {
    const forget = () => {
      if (batch !== started) return;
      batch = undefined;
      live = undefined;
    };
    const started = options.gitDir().then((gitDir) => {
      live = startBatch({ ...options, measured }, gitDir, forget);
      return live;
    });
    started.catch(forget);
    return started;
  }
  function askOnce<T>(question: (batch: Batch) => Promise<T>): Promise<T> {
    if (closed) return Promise.reject(new SluiceError("GIT_FAILED", "the source is closed"));
    return live ? question(live) : running().then(question);
  }
  async function ask<T>(question: (batch: Batch) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await askOnce(question);
    } catch (error) {
      // A child that was killed from outside answers nothing more; a fresh one may.
      if (!(error instanceof BatchEnded) || closed) throw error;
      signal?.throwIfAborted();
      return askOnce(question);
    }
  }

  return {
    read: (oid, signal) => ask((batch) => content(oid, batch), signal),
    ...(options.asksSizes
      ? {
          size: async (oid: ObjectId, signal?: AbortSignal) =>
            measured.get(oid) ?? ask((batch) => size(oid, batch), signal),
        }
      : {}),
    async close() {
      closed = true;
      (await batch?.catch(() => undefined))?.end();
    },
  };
}

function content(oid: ObjectId, batch: Batch): Promise<GitObject> {
  return new Promise((resolve, reject) => batch.ask({ oid, want: "content", resolve, reject }));
}

function size(oid: ObjectId, batch: Batch): Promise<ObjectSize> {
  return new Promise((resolve, reject) => batch.ask({ oid, want: "size", resolve, reject }));
}
