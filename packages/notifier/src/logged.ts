import { isJsonObject, type KvEntry, type SluiceEvent } from "@sluice/core";

/** An event with its place in a log; places grow and are never used again. */
export interface LoggedEvent {
  readonly seq: number;
  readonly event: SluiceEvent;
}

/** The events a log's key holds, oldest first; none where it is absent or holds something else. */
export function readLog(entry: KvEntry | undefined): readonly LoggedEvent[] {
  if (!entry) return [];
  try {
    const value: unknown = JSON.parse(Buffer.from(entry.value).toString("utf8"));
    return Array.isArray(value) ? value.filter(isLogged) : [];
  } catch {
    return [];
  }
}

function isLogged(one: unknown): one is LoggedEvent {
  const { seq, event } = (one ?? {}) as Partial<LoggedEvent>;
  return typeof seq === "number" && isJsonObject(event as never) && typeof event?.type === "string";
}

/** What of a log is new after `heard`, and whether events between were pushed out of it. A log that began anew is new as a whole. */
export function fresh(
  log: readonly LoggedEvent[],
  heard: number,
): { readonly events: readonly LoggedEvent[]; readonly gap: boolean } {
  const last = log.at(-1)?.seq ?? 0;
  const first = log[0]?.seq ?? 0;
  if (last < heard) return { events: log, gap: true };
  return { events: log.filter(({ seq }) => seq > heard), gap: last > heard && first > heard + 1 };
}
