import { backoffMs, type Clock, type EventSink, type Kv, type Random, type SluiceEvent } from "@sluice/core";
import { WIDE_EVENTS } from "@sluice/notifier/kinds";
import { type LoggedEvent, readEventLog } from "./event-log.ts";

/** How many events the log of all processes keeps. */
const KEPT = 256;
const TOLD_AFTER = 6;
const BACKOFF = { firstMs: 100, mostMs: 10_000 };

export interface NoticeLogOptions {
  readonly kv: Kv;
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told once of writes that keep failing. */
  readonly onError: (error: unknown) => void;
}

/** Events whose environment has no log of its own, in one log that all processes write, for the notifier, whichever runs it. */
export interface NoticeLog extends EventSink {
  /** Tries once more to write what is not written, and then no more. */
  close(): Promise<void>;
}

/** While the KV does not answer events wait, the newest of them. */
export function noticeLog(options: NoticeLogOptions): NoticeLog {
  const { clock, random, onError } = options;
  const closing = new AbortController();
  let incoming: SluiceEvent[] = [];
  let writing: Promise<void> | undefined;

  async function write() {
    for (let failures = 0; incoming.length > 0; failures++) {
      const batch = incoming;
      incoming = [];
      const last = closing.signal.aborted;
      const written = await append(batch, options).catch((error: unknown) => {
        if (failures === TOLD_AFTER || last) onError(error);
        return last;
      });
      if (written) {
        failures = -1;
        continue;
      }
      incoming = [...batch, ...incoming].slice(-KEPT);
      await clock.sleep(backoffMs(failures, BACKOFF, random), closing.signal);
    }
  }

  return {
    emit(event) {
      if (!WIDE_EVENTS.has(event.type)) return;
      incoming.push(event);
      writing ??= write().finally(() => {
        writing = undefined;
      });
    },
    async close() {
      closing.abort();
      await writing;
    },
  };
}

/** False: another process was faster. */
async function append(batch: readonly SluiceEvent[], { kv, prefix }: NoticeLogOptions): Promise<boolean> {
  const key = `${prefix.replace(/\/+$/, "")}/notices/events/engine`;
  const entry = await kv.get(key);
  const kept: LoggedEvent[] = [...readEventLog(entry)];
  let seq = kept.at(-1)?.seq ?? 0;
  for (const event of batch) kept.push({ seq: ++seq, event });
  const value = Buffer.from(JSON.stringify(kept.slice(-KEPT)));
  const index = entry?.modifyIndex ?? "0";
  return (await kv.commit([{ verb: "cas", key, value, index }])).applied;
}
