import type { Kv, KvEntry, SluiceEvent } from "@sluice/core";
import type { Environment } from "../../engine/environment.ts";
import { readEventLog } from "../../engine/event-log.ts";
import { type Cursor, LOG_ROLES, type LogRole, START } from "./cursor.ts";

/** One thing a reader of the logs is told, and where to go on after it. */
export interface LoggedNews {
  readonly cursor: Cursor;
  readonly event?: SluiceEvent;
  /** This many events of a role were pushed out of its short log before they could be read. */
  readonly gap?: { readonly role: LogRole; readonly missed: number };
}

/** What the logs of an environment hold beyond a cursor now, in the order in which it happened, and where they end. */
export async function readLogs(
  kv: Kv,
  { layout }: Pick<Environment, "layout">,
  after: Cursor,
): Promise<{ readonly news: readonly LoggedNews[]; readonly cursor: Cursor }> {
  const keys = LOG_ROLES.map((role) => `${layout.events}/${role}`);
  const entries = await kv.getMany(keys);
  let cursor = after;
  const found = LOG_ROLES.flatMap((role) => newsIn(role, entries.get(`${layout.events}/${role}`), after));
  const news = inTime(found).map((one) => {
    cursor = { ...cursor, [one.role]: one.seq };
    return { ...told(one), cursor };
  });
  return { news, cursor };
}

/** What the logs hold beyond a cursor, then what is added to them, each once, until the signal aborts. */
export async function* watchLogs(
  kv: Kv,
  { layout }: Pick<Environment, "layout">,
  after: Cursor,
  signal: AbortSignal,
): AsyncIterable<LoggedNews> {
  const queue: Found[] = [];
  let cursor = after;
  let wake: () => void = () => undefined;
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const watch = async (role: LogRole) => {
    let seen = after[role];
    for await (const entry of kv.watch(`${layout.events}/${role}`, { signal: until })) {
      const found = newsIn(role, entry, { ...START, [role]: seen });
      seen = found.at(-1)?.seq ?? seen;
      queue.push(...found);
      wake();
    }
  };
  for (const role of LOG_ROLES) void watch(role).catch(() => ended.abort());
  until.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!until.aborted) {
      const next = queue.shift();
      if (next) {
        cursor = { ...cursor, [next.role]: next.seq };
        yield { ...told(next), cursor };
      } else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    ended.abort();
  }
}

interface Found {
  readonly role: LogRole;
  /** How far the log is read with this. */
  readonly seq: number;
  readonly event?: SluiceEvent;
  readonly missed?: number;
}

function newsIn(role: LogRole, entry: KvEntry | undefined, after: Cursor): Found[] {
  const kept = readEventLog(entry);
  const newest = kept.at(-1)?.seq ?? 0;
  // Somebody deleted the log: it began anew.
  const seen = newest < after[role] ? 0 : after[role];
  const fresh = kept.filter(({ seq }) => seq > seen);
  const first = fresh[0]?.seq ?? 0;
  const missed = seen > 0 && first > seen + 1 ? first - seen - 1 : 0;
  const found: Found[] = fresh.map(({ seq, event }) => ({ role, seq, event }));
  return missed > 0 ? [{ role, seq: first - 1, missed }, ...found] : found;
}

function told({ role, event, missed }: Found): Omit<LoggedNews, "cursor"> {
  return { ...(event ? { event } : {}), ...(missed ? { gap: { role, missed } } : {}) };
}

/** Two logs, each in its own order, as one by time. Times of ISO 8601 order as texts do. */
function inTime(found: readonly Found[]): readonly Found[] {
  const lanes = LOG_ROLES.map((role) => found.filter((one) => one.role === role));
  const merged: Found[] = [];
  for (let left = found.length; left > 0; left--) {
    const heads = lanes.filter((lane) => lane.length > 0).sort((a, b) => timeOf(a).localeCompare(timeOf(b)));
    const next = heads[0]?.shift();
    if (next) merged.push(next);
  }
  return merged;
}

function timeOf([head]: readonly Found[]): string {
  return head?.event?.at ?? "";
}
