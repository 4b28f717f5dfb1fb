import { DateTime, Duration, IANAZone } from "luxon";

/** `R[n]/start/period`, taken apart. */
export interface Schedule {
  /** Runs left; undefined: no end. */
  readonly repeat: number | undefined;
  /** Undefined: at once. In the job's time zone where it has one. */
  readonly start: DateTime | undefined;
  readonly period: Duration;
  readonly periodText: string;
}

/**
 * Reads a schedule as Chronos does (reference 2.4): a start without an offset is UTC, and a time zone keeps the wall clock
 * and swaps the zone.
 * @returns a sentence where it cannot be read.
 */
export function parseSchedule(text: string, timeZone: string): Schedule | string {
  const [, repeat, startText, periodText] = /^R(\d*)\/(.*)\/(P.*)$/.exec(text) ?? [];
  if (repeat === undefined || startText === undefined || periodText === undefined)
    return "must be R[n]/start/period, as in R/2026-01-01T03:00:00Z/P1D";
  const period = Duration.fromISO(periodText);
  if (!period.isValid || !(period.toMillis() > 0))
    return "must end in an ISO 8601 period longer than nothing, as in P1D or PT15M";
  const times = repeat === "" ? undefined : Number(repeat);
  if (startText === "") return { repeat: times, start: undefined, period, periodText };
  const start = startOf(startText, timeZone);
  if (!start?.isValid) return "must have an ISO 8601 date and time as its start, as in 2026-01-01T03:00:00Z";
  if (start.toMillis() < 1000) return "must not start before 1970";
  return { repeat: times, start, period, periodText };
}

export function isTimeZone(name: string): boolean {
  return IANAZone.isValidZone(name);
}

/**
 * Whether the live schedule is what the wanted one has become by running: the same period and zone, a start that is a
 * whole number of periods later, and not more runs left. A wanted schedule without a start agrees with any.
 */
export function hasBecome(wanted: Schedule, live: Schedule): boolean {
  if (periodKey(wanted.period) !== periodKey(live.period)) return false;
  if ((wanted.repeat === undefined) !== (live.repeat === undefined)) return false;
  if (wanted.repeat !== undefined && live.repeat !== undefined && live.repeat > wanted.repeat) return false;
  if (wanted.start === undefined) return true;
  if (live.start === undefined) return false;
  const steps = wholeSteps(wanted.start, live.start, wanted.period);
  return steps !== undefined && steps >= 0;
}

/**
 * The schedule text with an endless schedule's past start moved to its next turn, and an empty one to a period from now.
 * Chronos 3 runs a job whose start is past or empty at once, so that writing a job for any other reason would run it.
 * @param now milliseconds since the epoch.
 */
export function withoutPastStart(text: string, timeZone: string, now: number): string {
  const schedule = parseSchedule(text, timeZone);
  if (typeof schedule === "string" || schedule.repeat !== undefined) return text;
  const { period, start = DateTime.fromMillis(now, { zone: timeZone === "" ? "utc" : timeZone }) } = schedule;
  if (start.toMillis() > now) return text;
  let steps = Math.max(0, Math.floor((now - start.toMillis()) / period.toMillis()) - 2);
  while (later(start, period, steps).toMillis() <= now) steps += 1;
  return `R/${later(start, period, steps).toISO()}/${schedule.periodText}`;
}

/** The period's one spelling: PT60M and PT1H are the same, P1D and PT24H are not where clocks change. */
export function periodKey(period: Duration): string {
  const { years, quarters, months, weeks, days, hours, minutes, seconds, milliseconds } = period;
  const time = ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
  return `${(years * 4 + quarters) * 3 + months}/${weeks * 7 + days}/${time}`;
}

/** Of a schedule with periods of fixed length, where in the period it runs, which running does not change. */
export function phaseOf({ start, period }: Schedule): string {
  if (!start) return "";
  const fixed = period.years === 0 && period.quarters === 0 && period.months === 0;
  return fixed && start.offset === 0 ? String(start.toMillis() % period.toMillis()) : (start.toISO() ?? "");
}

function startOf(text: string, timeZone: string): DateTime | undefined {
  // luxon takes a bare time of day for today's.
  if (!/^[+-]?\d{4}/.test(text)) return undefined;
  const start = DateTime.fromISO(text, { zone: "utc", setZone: true });
  return timeZone === "" ? start : start.setZone(timeZone, { keepLocalTime: true });
}

function later(start: DateTime, period: Duration, steps: number): DateTime {
  return start.plus(period.mapUnits((amount) => amount * steps));
}

/** How many periods lie between two times; undefined where it is no whole number. Months have no fixed length, so the neighbours are tried. */
function wholeSteps(from: DateTime, to: DateTime, period: Duration): number | undefined {
  const about = Math.round((to.toMillis() - from.toMillis()) / period.toMillis());
  const reach = period.months > 0 || period.years > 0 ? 2 + Math.ceil(Math.abs(about) / 50) : 1;
  for (let steps = about - reach; steps <= about + reach; steps++) {
    const at = later(from, period, steps);
    if (at.toMillis() === to.toMillis() || isShortMonth(at, to, period)) return steps;
  }
  return undefined;
}

/** From the 31st a monthly job comes to the 28th in February and stays there: Chronos counts on from the day it reached. */
function isShortMonth(expected: DateTime, found: DateTime, period: Duration): boolean {
  if (period.months === 0 && period.years === 0) return false;
  const days = expected.toUTC().day - found.toUTC().day;
  return days > 0 && found.toUTC().day >= 28 && expected.minus({ days }).toMillis() === found.toMillis();
}
