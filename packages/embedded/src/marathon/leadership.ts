import type { Clock } from "@sluice/core";

/** Whether this server leads: it is the only one, so it always wins the next election. */
export interface Leadership {
  leads(): boolean;
  /** Gives the lead up until the election is over. */
  abdicate(): void;
  /** Calls back whenever the lead is given up. @returns ends that. */
  onAbdication(listener: () => void): () => void;
}

/** @param electionMs how long nobody leads. */
export function createLeadership(clock: Clock, electionMs: number): Leadership {
  const listeners = new Set<() => void>();
  let electedAt = Number.NEGATIVE_INFINITY;
  return {
    leads: () => clock.now() >= electedAt,
    abdicate() {
      electedAt = clock.now() + electionMs;
      for (const listener of [...listeners]) listener();
    },
    onAbdication(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
