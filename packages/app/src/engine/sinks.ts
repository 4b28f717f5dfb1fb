import type { EventSink, SluiceEvent } from "@sluice/core";

/** Hands every event to every sink; a sink that throws does not keep it from the others. */
export function fanOut(sinks: readonly EventSink[]): EventSink {
  return {
    emit(event) {
      for (const sink of sinks) {
        try {
          sink.emit(event);
        } catch (error) {
          process.emitWarning(error instanceof Error ? error : String(error));
        }
      }
    },
  };
}

/** Takes only events whose type begins with one of the prefixes: `mirror.`. */
export function only(prefixes: readonly string[], sink: EventSink): EventSink {
  return {
    emit(event: SluiceEvent) {
      if (prefixes.some((prefix) => event.type.startsWith(prefix))) sink.emit(event);
    },
  };
}
