import type { EventBody, SluiceEvent } from "../model/events.ts";
import type { EnvName } from "../model/ids.ts";
import type { Clock } from "./clock.ts";

/** Takes events; returns at once and never throws: what a consumer cannot take must not stop a deployment. */
export interface EventSink {
  emit(event: SluiceEvent): void;
}

/** Stamps events with their environment and time. */
export type Emit = (event: EventBody) => void;

export function emitterFor(environment: EnvName, sink: EventSink, clock: Clock): Emit {
  return (event) =>
    sink.emit({ ...event, environment, at: new Date(clock.now()).toISOString() } as SluiceEvent);
}
