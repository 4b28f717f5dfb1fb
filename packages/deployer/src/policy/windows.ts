/** A time of the week at which a target may, or may not, be changed. */
export interface Window {
  readonly kind: "allow" | "deny";
  /** As it is written: `Mon-Fri 08:00-18:00`. */
  readonly text: string;
  readonly timezone: string;
  /** @param at milliseconds since the epoch. */
  covers(at: number): boolean;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const DAY_MINUTES = 24 * 60;

/** What `allow` and `deny` take. */
export const WINDOW_FORM = 'must be days and times such as "Mon-Fri 08:00-18:00", "Sat,Sun" or "22:00-06:00"';

/**
 * Reads `[days] [HH:MM-HH:MM]`; without days it is every day, without times the whole day. A time span that ends before it
 * begins, or when it begins, goes on into the next day. Days and times are those of the time zone's clocks, so a window
 * opens and closes by them also on the days on which they are set. Undefined: the text is no window.
 */
export function parseWindow(kind: Window["kind"], text: string, timezone: string): Window | undefined {
  const parts = text.trim().split(/\s+/);
  const [first = "", second] = parts;
  if (parts.length > 2 || first === "") return undefined;
  const [dayText, spanText] = /\d/.test(first) ? [undefined, first] : [first, second];
  if (dayText === undefined && second !== undefined) return undefined;
  const days = dayText === undefined ? new Set(DAYS.keys()) : daysIn(dayText);
  const span = spanText === undefined ? { from: 0, to: DAY_MINUTES } : spanIn(spanText);
  const local = localTime(timezone);
  if (!days || !span || !local) return undefined;
  return { kind, text, timezone, covers: (at) => isIn(local(at), days, span) };
}

/** True for a name of the IANA time zone database. */
export function isTimezone(name: string): boolean {
  return localTime(name) !== undefined;
}

/** Why nothing may be changed now; undefined: it may. A `deny` that covers the time wins; where there is an `allow`, one must cover it. */
export function closedWindow(windows: readonly Window[], at: number): string | undefined {
  const denied = windows.find((one) => one.kind === "deny" && one.covers(at));
  if (denied) return `no change is made in ${named(denied)}`;
  const allows = windows.filter((one) => one.kind === "allow");
  if (allows.length === 0 || allows.some((one) => one.covers(at))) return undefined;
  return `changes are made in ${allows.map(named).join(" and ")} only`;
}

function named({ text, timezone }: Window): string {
  return `${text} (${timezone})`;
}

function daysIn(text: string): Set<number> | undefined {
  const days = new Set<number>();
  for (const part of text.split(",")) {
    const [from = "", to = from, more] = part.split("-");
    const [first, last] = [dayNumber(from), dayNumber(to)];
    if (first < 0 || last < 0 || more !== undefined) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return days;
}

function dayNumber(text: string): number {
  return DAYS.findIndex((day) => day.toLowerCase() === text.toLowerCase());
}

interface Span {
  /** Minutes since midnight; `to` is the first minute that is not in it any more, of the next day where it is not after `from`. */
  readonly from: number;
  readonly to: number;
}

function spanIn(text: string): Span | undefined {
  const found = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text);
  if (!found) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = found.slice(1).map(Number);
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  if (fromMinute > 59 || toMinute > 59 || from >= DAY_MINUTES || to > DAY_MINUTES) return undefined;
  return { from, to };
}

interface Local {
  readonly day: number;
  readonly minute: number;
}

function isIn({ day, minute }: Local, days: ReadonlySet<number>, { from, to }: Span): boolean {
  if (from < to) return days.has(day) && minute >= from && minute < to;
  const dayBefore = (day + 6) % 7;
  return (days.has(day) && minute >= from) || (days.has(dayBefore) && minute < to);
}

function localTime(timezone: string): ((at: number) => Local) | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  } catch {
    return undefined;
  }
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const minute = Number(parts.get("hour")) * 60 + Number(parts.get("minute"));
    return { day: dayNumber(parts.get("weekday") ?? ""), minute };
  };
}
