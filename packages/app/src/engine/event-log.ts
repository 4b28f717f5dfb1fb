import {
  type Clock,
  type EventSink,
  isJsonObject,
  type Kv,
  type KvEntry,
  type SluiceEvent,
} from "@sluice/core";

/** How many events a log keeps: enough for a person who follows, small enough to be written whole each time. */
const KEPT = 64;

/** An event with its place in the log; places are never used again. */
export interface LoggedEvent {
  readonly seq: number;
  readonly event: SluiceEvent;
}

/** A short log of the newest events under one KV key, so that a push, a person or a notifier elsewhere can follow by watching it. */
export interface EventLog extends EventSink {
  /** Resolves once everything emitted so far is written or given up. */
  flush(): Promise<void>;
}

/**
 * Writes are coalesced: one at a time, each with all that came meanwhile. A failed write is tried again with the next event;
 * the log is for following along, the truth is in the statuses.
 */
export function eventLog(options: { kv: Kv; key: string; clock: Clock }): EventLog {
  let kept: LoggedEvent[] | undefined;
  let incoming: SluiceEvent[] = [];
  let writing: Promise<void> | undefined;

  async function write() {
    while (incoming.length > 0) {
      const batch = incoming;
      incoming = [];
      kept ??= [...readEventLog(await options.kv.get(options.key))];
      let seq = kept.at(-1)?.seq ?? 0;
      for (const event of batch) kept.push({ seq: ++seq, event });
      kept = kept.slice(-KEPT);
      await options.kv.commit([{ verb: "set", key: options.key, value: Buffer.from(JSON.stringify(kept)) }]);
    }
  }

  return {
    emit(event) {
      incoming.push(event);
      if (incoming.length > KEPT) incoming.shift();
      writing ??= write()
        .catch(() => undefined)
        .finally(() => {
          writing = undefined;
        });
    },
    flush: async () => void (await writing),
  };
}

/** The events a log's key holds, oldest first; none where it is absent or was written over by hand. */
export function readEventLog(entry: KvEntry | undefined): readonly LoggedEvent[] {
  if (!entry) return [];
  try {
    const value: unknown = JSON.parse(Buffer.from(entry.value).toString("utf8"));
    return Array.isArray(value)
      ? value.filter((one) => isJsonObject(one) && typeof one.seq === "number" && isJsonObject(one.event))
      : [];
  } catch {
    return [];
  }
}
