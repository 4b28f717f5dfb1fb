import type { EventSink, SluiceEvent } from "@sluice/core";

/** Hands events on to whoever listens right now, such as `/events`. */
export interface EventStream extends EventSink {
  /** @returns how to stop listening. */
  listen(listener: (event: SluiceEvent) => void): () => void;
}

export function eventStream(): EventStream {
  const listeners = new Set<(event: SluiceEvent) => void>();
  return {
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
