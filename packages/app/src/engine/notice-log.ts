import { backoffMs, type Clock, type EventSink, type Kv, type Random, type SluiceEvent } from "@sluice/core";
import { WIDE_EVENTS } from "@sluice/notifier/kinds";
import { type LoggedEvent, readEventLog } from "./event-log.ts";

/** How many events the log of all processes keeps. */
const KEPT = 256;
const ATTEMPTS = 8;
const BACKOFF = { firstMs: 100, mostMs: 10_000 };

export interface NoticeLogOptions {
  readonly kv: Kv;
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of writes that were given up. */
  readonly onError: (error: unknown) => void;
}

/** Events whose environment has no log of its own, in one log that all processes write, for the notifier, whichever runs it. */
export function noticeLog(options: NoticeLogOptions): EventSink & { flush(): Promise<void> } {
  const { clock, random, onError } = options;
  let incoming: SluiceEvent[] = [];
  let writing: Promise<void> | undefined;

  async function write() {
    for (let failures = 0; incoming.length > 0; ) {
      const batch = incoming;
      incoming = [];
      try {
        if (await append(batch, options)) {
          failures = 0;
          continue;
        }
      } catch (error) {
        if (failures + 1 >= ATTEMPTS) return onError(error);
      }
      incoming = [...batch, ...incoming].slice(-KEPT);
      await clock.sleep(backoffMs(failures, BACKOFF, random));
      failures += 1;
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
    flush: async () => void (await writing),
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
