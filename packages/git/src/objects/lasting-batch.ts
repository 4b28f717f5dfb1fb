import { SluiceError } from "@sluice/core";
import { type Batch, BatchEnded, type BatchOptions, startBatch } from "./batch.ts";
import type { Answer, Question } from "./questions.ts";

/** A `git cat-file` that is started when first needed, and again after it died. */
export interface LastingBatch {
  /** As of `Batch`; asks a second time where the child was lost. @throws BatchEnded, GIT_FAILED */
  ask(question: Question, signal?: AbortSignal): Promise<readonly Answer[]>;
  /** Starts it before it is needed. */
  start(): void;
  close(): Promise<void>;
}

export function lastingBatch(options: BatchOptions, gitDir: () => Promise<string>): LastingBatch {
  let batch: Promise<Batch> | undefined;
  let closed = false;

  function running(): Promise<Batch> {
    if (batch) return batch;
    const forget = () => {
      if (batch === started) batch = undefined;
    };
    const started = gitDir().then((folder) => startBatch(options, folder, forget));
    started.catch(forget);
    batch = started;
    return started;
  }
  async function askOnce(question: Question, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    if (closed) throw new SluiceError("GIT_FAILED", "the source is closed");
    return (await running()).ask(question);
  }

  return {
    async ask(question, signal) {
      try {
        return await askOnce(question, signal);
      } catch (error) {
        // A child that was killed from outside answers nothing more; a fresh one may.
        if (!(error instanceof BatchEnded) || closed) throw error;
        return askOnce(question, signal);
      }
    },
    start() {
      // Why it cannot be started is told to whoever asks.
      if (!closed) running().catch(() => undefined);
    },
    async close() {
      closed = true;
      (await batch?.catch(() => undefined))?.end();
    },
  };
}
