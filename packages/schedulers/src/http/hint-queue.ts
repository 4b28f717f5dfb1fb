import type { JobId } from "@sluice/core";

/** Hints between a stream that brings them and a slow reader. Each is held once, so that the reader costs no memory. */
export interface HintQueue {
  add(hint: JobId | undefined): void;
  /** Waits for at least one; empty once the signal has aborted. */
  next(): Promise<readonly (JobId | undefined)[]>;
}

export function hintQueue(signal: AbortSignal): HintQueue {
  const held = new Set<JobId | undefined>();
  let wake: () => void = () => undefined;
  signal.addEventListener("abort", () => wake(), { once: true });
  return {
    add(hint) {
      held.add(hint);
      wake();
    },
    async next() {
      if (held.size === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      const hints = [...held];
      held.clear();
      return signal.aborted ? [] : hints;
    },
  };
}
