import {
  type Clock,
  type EventSink,
  isJsonObject,
  type Kv,
  type KvEntry,
  type KvFence,
  type SluiceEvent,
} from "@sluice/core";

/** How many events a log keeps: enough for a person who follows, small enough to be written whole each time. */
const KEPT = 64;
/** Between two writes events gather for so long, or until there are so many, since each write is of the whole log. */
const GATHER_MS = 50;
const GATHERED = 48;

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

export interface EventLogOptions {
  readonly kv: Kv;
  readonly key: string;
  readonly clock: Clock;
  /** The lock of the service whose events these are; undefined while another leads: then the log is the other's. */
  readonly fence: () => KvFence | undefined;
  /** Told of each write that failed. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Writes are coalesced: one at a time, each with all that came meanwhile. A failed write is tried again with the next event;
 * the log is for following along, the truth is in the statuses.
 */
export function eventLog(options: EventLogOptions): EventLog {
  let kept: LoggedEvent[] | undefined;
  /** The session under which `kept` was read: in another term, someone else may have written since. */
  let keptUnder: string | undefined;
  let incoming: SluiceEvent[] = [];
  let writing: Promise<void> | undefined;
  let gathering: AbortController | undefined;
  let flushing = false;
  let lastAt = Number.NEGATIVE_INFINITY;

  async function gather() {
    gathering = new AbortController();
    if (flushing || incoming.length >= GATHERED) gathering.abort();
    await options.clock.sleep(lastAt + GATHER_MS - options.clock.now(), gathering.signal);
    gathering = undefined;
  }

  async function write() {
    while (incoming.length > 0) {
      await gather();
      const batch = incoming;
      incoming = [];
      const fence = options.fence();
      if (!fence) return;
      if (!kept || keptUnder !== fence.session) kept = [...readEventLog(await options.kv.get(options.key))];
      keptUnder = fence.session;
      let seq = kept.at(-1)?.seq ?? 0;
      for (const event of batch) kept.push({ seq: ++seq, event });
      kept = kept.slice(-KEPT);
      const value = Buffer.from(JSON.stringify(kept));
      lastAt = options.clock.now();
      await options.kv.commit([{ verb: "set", key: options.key, value }], { fence });
    }
  }

  return {
    emit(event) {
      incoming.push(event);
      if (incoming.length > KEPT) incoming.shift();
      if (incoming.length >= GATHERED) gathering?.abort();
      writing ??= write()
        .catch((error: unknown) => options.onError?.(error))
        .finally(() => {
          writing = undefined;
        });
    },
    async flush() {
      flushing = true;
      gathering?.abort();
      await writing;
      flushing = false;
    },
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
