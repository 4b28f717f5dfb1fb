import type { Clock } from "@sluice/core";
import { timestamp } from "./model.ts";

/** One event as it is sent: `eventType` and `timestamp` first, then its own fields. */
export type MarathonEvent = { eventType: string; timestamp: string } & Record<string, unknown>;

/** Tells subscribers what happens, in order, and remembers nothing. */
export interface EventBus {
  /** @param fields or what makes them, which is called only when somebody listens. */
  emit(eventType: string, fields: Record<string, unknown> | (() => Record<string, unknown>)): void;
  /** @returns ends the subscription. */
  subscribe(listener: (event: MarathonEvent) => void): () => void;
}

export function eventBus(clock: Clock): EventBus {
  const listeners = new Set<(event: MarathonEvent) => void>();
  return {
    emit(eventType, fields) {
      if (listeners.size === 0) return;
      const known = typeof fields === "function" ? fields() : fields;
      const event = { ...known, eventType, timestamp: timestamp(clock.now()) };
      for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
