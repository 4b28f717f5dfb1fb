import { type Clock, SluiceError } from "@sluice/core";

export interface Deadline {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** What is done, for the message: `git fetch`. */
  readonly what: string;
}

/**
 * Runs work that ends with its signal, and gives it up at the deadline or when the caller does, whichever comes first.
 * @throws GIT_FAILED at the deadline.
 */
export async function withDeadline<T>(
  { clock, timeoutMs, what }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted();
  const over = new AbortController();
  const done = new AbortController();
  const stop = () => over.abort(signal?.reason);
  signal?.addEventListener("abort", stop);
  void clock.sleep(timeoutMs, done.signal).then(() => {
    if (!done.signal.aborted)
      over.abort(new SluiceError("GIT_FAILED", `${what} took longer than ${timeoutMs} ms`));
  });
  try {
    return await Promise.race([work(over.signal), rejectedBy(over.signal)]);
  } catch (error) {
    // The work may fail with words of its own for being stopped.
    if (over.signal.aborted) throw over.signal.reason;
    throw error;
  } finally {
    done.abort();
    signal?.removeEventListener("abort", stop);
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  rejected.catch(() => undefined);
  return rejected;
}
