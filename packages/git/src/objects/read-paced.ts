import type { Readable } from "node:stream";

/** While this much is still to come, it is worth waiting for more of it. */
const MUCH_BYTES = 128 * 1024;
/** How long the stream is left alone after a read, in milliseconds. */
const REST_MS = 1;

/**
 * Reads what a child writes. Git writes every blob on its own, and to wake up for each costs far more than to take it
 * apart; so, while a long answer is on its way, the stream is left alone for a moment after each read, in which the pipe
 * fills. A short answer, and the end of a long one, is read as it comes.
 * @param due about how many bytes are still to come.
 */
export function readPaced(stream: Readable, due: () => number, take: (chunk: Buffer) => void): void {
  stream.on("data", (chunk: Buffer) => {
    take(chunk);
    if (due() < MUCH_BYTES) return;
    stream.pause();
    setTimeout(() => stream.resume(), REST_MS);
  });
}
