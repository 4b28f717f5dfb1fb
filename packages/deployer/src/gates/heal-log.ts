import type { JobKey } from "@sluice/core";

/** Remembers how often a job was put right, so that whoever keeps changing it is not fought round by round. */
export interface HealLog {
  /** The job is put right now. @param now milliseconds since the epoch. */
  note(key: JobKey, now: number): void;
  /** When it may be put right again, and how often it was in this row; undefined: now. */
  waiting(key: JobKey, now: number): { readonly until: number; readonly times: number } | undefined;
}

interface Row {
  times: number;
  at: number;
}

/** Twice at once; from then on after these, doubled each time. */
const FREE_TIMES = 2;
const FIRST_MS = 10_000;
const MOST_MS = 30 * 60_000;
/** A job that stayed as it should for this much longer than it had to wait begins a new row. */
const CALM_MS = 10 * 60_000;

export function healLog(): HealLog {
  const rows = new Map<JobKey, Row>();
  return {
    note(key, now) {
      const old = rows.get(key);
      const fresh = !old || now - old.at > pauseAfter(old.times) + CALM_MS;
      rows.set(key, { times: fresh ? 1 : old.times + 1, at: now });
    },
    waiting(key, now) {
      const row = rows.get(key);
      if (!row) return undefined;
      const until = row.at + pauseAfter(row.times);
      return now < until ? { until, times: row.times } : undefined;
    },
  };
}

function pauseAfter(times: number): number {
  if (times < FREE_TIMES) return 0;
  return Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(30, times - FREE_TIMES));
}
