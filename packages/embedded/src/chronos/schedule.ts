import { DateTime, Duration, IANAZone } from "luxon";

/** A parsed `R[n]/start/period`. */
export interface Schedule {
  /** Runs left; -1 = for ever. */
  repeat: number;
  start: DateTime;
  /** Always longer than nothing. */
  period: Duration;
}

/**
 * Reads a schedule as Chronos does: `R[n]/start/period`, an empty start means one second before `now`, a start
 * without an offset is UTC, and a time zone keeps the wall clock and swaps the zone (an unknown one is GMT).
 * @param now milliseconds since the epoch.
 * @returns undefined when it cannot be parsed, or when the period is empty or negative.
 */
export function parseSchedule(text: string, timeZone: string, now: number): Schedule | undefined {
  const [, repeatText, startText, periodText] = /^(R[0-9]*)\/(.*)\/(P.*)$/.exec(text) ?? [];
  if (repeatText === undefined || startText === undefined || periodText === undefined) return undefined;
  const start =
    startText === "" ? DateTime.fromMillis(now - 1000, { zone: "utc" }) : parseStart(startText, timeZone);
  const period = Duration.fromISO(periodText);
  if (!start?.isValid || !period.isValid || !(period.toMillis() > 0)) return undefined;
  return { repeat: repeatText === "R" ? -1 : Number(repeatText.slice(1)), start, period };
}

/** The form Chronos writes: `R/2024-01-01T00:00:00.000Z/PT1H`, with milliseconds and the start's own offset. */
export function formatSchedule({ repeat, start, period }: Schedule): string {
  return `R${repeat < 0 ? "" : repeat}/${start.toISO()}/${period.toISO()}`;
}

/** When the next run is due, in milliseconds since the epoch: just after the start, as Chronos runs what *is* past. */
export function dueAt({ repeat, start }: Schedule): number | undefined {
  return repeat === 0 ? undefined : start.toMillis() + 1;
}

/** The schedule after a launch at `now`: start moved past `now` by whole periods, one run fewer. */
export function afterLaunch(schedule: Schedule, now: number): Schedule {
  return further(
    schedule,
    stepsUntil(schedule, (at) => at > now),
    1,
  );
}

/** The schedule after a launch as 2.x writes it: one period further, even if that is past too. */
export function oneFurther(schedule: Schedule): Schedule {
  return further(schedule, 1, 1);
}

/**
 * Skips the runs that are later than `epsilonMs` (2.x), each using up a repetition.
 * @returns undefined when no repetition is left after that.
 */
export function skipLate(schedule: Schedule, now: number, epsilonMs: number): Schedule | undefined {
  const steps = stepsUntil(schedule, (at) => at + epsilonMs >= now);
  if (schedule.repeat >= 0 && schedule.repeat < steps) return undefined;
  return further(schedule, steps, steps);
}

/** Milliseconds of an ISO period, months and years by their usual length; undefined when it cannot be read. */
export function periodMs(text: string): number | undefined {
  const period = Duration.fromISO(text);
  return period.isValid ? period.toMillis() : undefined;
}

function parseStart(text: string, timeZone: string): DateTime | undefined {
  // luxon reads a bare time of day as today's; Chronos has no such notion of today.
  if (!/^[+-]?\d{4}/.test(text)) return undefined;
  const start = DateTime.fromISO(text, { zone: "utc", setZone: true });
  if (timeZone === "") return start;
  return start.setZone(IANAZone.isValidZone(timeZone) ? timeZone : "utc", { keepLocalTime: true });
}

/** The smallest number of periods after which `enough` holds; `enough` must stay true once it is. */
function stepsUntil({ start, period }: Schedule, enough: (at: number) => boolean): number {
  const enoughAfter = (steps: number) =>
    enough(step(start, period, steps)?.toMillis() ?? Number.POSITIVE_INFINITY);
  if (enoughAfter(0)) return 0;
  // Gallop, then halve: months and years have no fixed length, and a start may lie millions of periods back.
  let high = 1;
  while (!enoughAfter(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enoughAfter(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function further({ repeat, start, period }: Schedule, steps: number, runs: number): Schedule {
  const moved = step(start, period, steps);
  // Past the last date there is: such a job never runs again, rather than again and again.
  if (moved === undefined) return { repeat: 0, start, period };
  return { repeat: repeat < 0 ? repeat : Math.max(0, repeat - runs), start: moved, period };
}

function step(start: DateTime, period: Duration, times: number): DateTime | undefined {
  const moved = start.plus(period.mapUnits((amount) => amount * times));
  return moved.isValid ? moved : undefined;
}
