import type { HealedRow } from "@sluice/core";

/** Twice at once; from then on after these, doubled each time. */
const FREE_TIMES = 2;
const FIRST_MS = 10_000;
const MOST_MS = 30 * 60_000;
/** A job that stayed as it should for this much longer than it had to wait begins a new row. */
const CALM_MS = 10 * 60_000;

/**
 * The row of a job that is put right now. It is kept in the inventory, so that whoever keeps changing a job is not fought round
 * by round by the engine that takes over either. @param now milliseconds since the epoch.
 */
export function healedAgain(old: HealedRow | undefined, now: number): HealedRow {
  const goesOn = old && now - Date.parse(old.at) <= pauseAfter(old.times) + CALM_MS;
  return { times: goesOn ? old.times + 1 : 1, at: new Date(now).toISOString() };
}

/** When the job may be put right again, in milliseconds since the epoch; undefined: now. */
export function healsAgainAt(row: HealedRow | undefined, now: number): number | undefined {
  if (!row) return undefined;
  const until = Date.parse(row.at) + pauseAfter(row.times);
  return now < until ? until : undefined;
}

function pauseAfter(times: number): number {
  if (times < FREE_TIMES) return 0;
  return Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(30, times - FREE_TIMES));
}
