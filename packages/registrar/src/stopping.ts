import type { Clock } from "@sluice/core";
import type { EngineHint } from "./container.ts";

/** Containers that were told to end: nobody new is sent to them, and what they have begun they may still finish. */
export interface Stopping {
  note(hint: EngineHint): void;
  has(id: string): boolean;
  /** @param running ids of the containers that still run. */
  forgetAllBut(running: ReadonlySet<string>): void;
}

/** One that goes on for so long after it was told to end took the signal for something else. */
const LONGEST_MS = 2 * 60_000;

export function stoppingContainers(clock: Clock): Stopping {
  const since = new Map<string, number>();
  return {
    note({ gap, started, stopping }) {
      // Who runs again serves again: at once, and not only when its last end is forgotten.
      if (gap) since.clear();
      if (started) since.delete(started);
      if (stopping) since.set(stopping, clock.now());
    },
    has: (id) => clock.now() - (since.get(id) ?? Number.NEGATIVE_INFINITY) < LONGEST_MS,
    forgetAllBut(running) {
      for (const id of since.keys()) if (!running.has(id)) since.delete(id);
    },
  };
}
