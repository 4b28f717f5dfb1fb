import type { Clock } from "@sluice/core";
import { parseMilliseconds } from "../duration.ts";
import type { Session } from "./sessions.ts";

/**
 * A session ends this many TTLs after its last renewal: Consul promises only "between one and two". The slack keeps a
 * busy process, whose renewals queue behind its timers, from losing its locks.
 */
const TTLS = 1.5;

/** Ends sessions that are not renewed. */
export interface SessionTimers {
  /** (Re)starts the session's time; one without a TTL never ends by itself. */
  start(session: Session): void;
  cancel(id: string): void;
  stop(): Promise<void>;
}

export function sessionTimers(clock: Clock, expire: (id: string) => Promise<void>): SessionTimers {
  const running = new Map<string, { abort: AbortController; done: Promise<void> }>();

  function cancel(id: string) {
    running.get(id)?.abort.abort();
    running.delete(id);
  }

  async function run(id: string, ms: number, signal: AbortSignal) {
    await clock.sleep(ms, signal);
    if (signal.aborted) return;
    running.delete(id);
    await expire(id);
  }

  return {
    cancel,
    start({ ID, TTL }) {
      cancel(ID);
      const ttl = TTL === "" ? 0 : (parseMilliseconds(TTL) ?? 0);
      if (ttl <= 0) return;
      const abort = new AbortController();
      running.set(ID, { abort, done: run(ID, ttl * TTLS, abort.signal) });
    },
    async stop() {
      const ending = [...running.values()].map(({ done }) => done);
      for (const id of [...running.keys()]) cancel(id);
      await Promise.all(ending);
    },
  };
}
