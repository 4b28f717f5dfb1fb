import type { Clock } from "@sluice/core";

/** Remembers ids for a while, the newest of them only. */
export interface Seen {
  has(id: string): boolean;
  add(id: string): void;
}

/** @param most ids kept; the oldest is forgotten first. @param forMs how long, in milliseconds. */
export function seen({ most, forMs, clock }: { most: number; forMs: number; clock: Clock }): Seen {
  /** When each was added, oldest first: a Map keeps its order. */
  const added = new Map<string, number>();
  return {
    has(id) {
      const at = added.get(id);
      return at !== undefined && clock.now() - at < forMs;
    },
    add(id) {
      added.delete(id);
      added.set(id, clock.now());
      const [oldest] = added.keys();
      if (added.size > most && oldest !== undefined) added.delete(oldest);
    },
  };
}
