import type { IncomingMessage } from "node:http";
import { backoffMs, type Clock, type JobId, type Random } from "@sluice/core";
import { type HintQueue, hintQueue } from "./hint-queue.ts";

export interface HintStreamOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Opens the scheduler's stream of events. @param turn counts the attempts from 0. */
  open(turn: number, signal: AbortSignal): Promise<IncomingMessage>;
  /** Reads it to its end, and adds what it tells. */
  read(stream: IncomingMessage, hints: HintQueue, signal: AbortSignal): Promise<void>;
}

const RETRY = { firstMs: 500, mostMs: 30_000 };
/** A stream that was cut before this counts as a failed one, since every new one makes the reader look at everything. */
const STEADY_MS = 30_000;

/**
 * A scheduler's events as hints: what a stream tells, and undefined after each connection was made, since events before it are
 * lost. Reconnects until the signal aborts.
 */
export async function* hintStream(
  options: HintStreamOptions,
  signal: AbortSignal,
): AsyncIterable<JobId | undefined> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const hints = hintQueue(either);
  const reading = keepReading(options, hints, either);
  try {
    while (!signal.aborted) yield* await hints.next();
  } finally {
    stop.abort();
    await reading;
  }
}

async function keepReading(options: HintStreamOptions, hints: HintQueue, signal: AbortSignal): Promise<void> {
  const { clock, random } = options;
  let failures = 0;
  for (let turn = 0; !signal.aborted; turn++) {
    let since: number | undefined;
    try {
      const stream = await options.open(turn, signal);
      since = clock.now();
      hints.add(undefined);
      await options.read(stream, hints, signal);
    } catch {
      // However it ended, another one is opened.
    }
    const steady = since !== undefined && clock.now() - since >= STEADY_MS;
    failures = steady ? 0 : failures + 1;
    await clock.sleep(backoffMs(Math.max(0, failures - 1), RETRY, random), signal);
  }
}
