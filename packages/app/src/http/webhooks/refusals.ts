import { type Clock, EVERY_ENVIRONMENT, type EventSink } from "@sluice/core";

/** Tells of refused webhooks in the log, which anybody on the network may cause: each kind at most once a minute. */
export interface Refusals {
  /** @param why a sentence's end after "it was refused: ". */
  tell(provider: string, why: string): void;
}

const QUIET_MS = 60_000;

export function refusals({ events, clock }: { events: EventSink; clock: Clock }): Refusals {
  /** When a kind was told last, and how many came since. Providers and reasons are few, and none is made of a request. */
  const told = new Map<string, { at: number; unsaid: number }>();
  return {
    tell(provider, why) {
      const now = clock.now();
      const kind = `${provider} ${why}`;
      const before = told.get(kind);
      if (before && now - before.at < QUIET_MS) {
        before.unsaid += 1;
        return;
      }
      told.set(kind, { at: now, unsaid: 0 });
      const at = new Date(now).toISOString();
      const times = 1 + (before?.unsaid ?? 0);
      events.emit({ type: "webhook.refused", environment: EVERY_ENVIRONMENT, at, provider, why, times });
    },
  };
}
