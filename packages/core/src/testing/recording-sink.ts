import type { EventType, SluiceEvent } from "../model/events.ts";
import type { EventSink } from "../ports/event-sink.ts";

export interface RecordingSink extends EventSink {
  readonly events: readonly SluiceEvent[];
  /** The events of one type, in order. */
  of<T extends EventType>(type: T): readonly Extract<SluiceEvent, { type: T }>[];
}

/** Keeps every event it is given. */
export function recordingSink(): RecordingSink {
  const events: SluiceEvent[] = [];
  return {
    events,
    emit: (event) => void events.push(event),
    of: <T extends EventType>(type: T) =>
      events.filter((event): event is Extract<SluiceEvent, { type: T }> => event.type === type),
  };
}
