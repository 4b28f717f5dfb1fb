import {
  type DeploymentStatus,
  decodeRecord,
  type EnvName,
  type JobKey,
  type JobStatus,
  type Kv,
  type KvEntry,
  type KvLayout,
  type Revision,
  type SluiceEvent,
} from "@sluice/core";
import { fresh, type LoggedEvent, readLog } from "../logged.ts";
import { conditionOf, isFailure } from "../notice/condition.ts";
import type { News } from "./listen.ts";
import { type Memory, NOTHING_HEARD } from "./memory.ts";

/** An environment as the notifier follows it. */
export interface Watched {
  readonly name: EnvName;
  readonly layout: KvLayout;
}

/** What an environment's keys say at one moment. */
export interface Look {
  readonly memory: KvEntry | undefined;
  readonly logs: Readonly<Record<LogName, readonly LoggedEvent[]>>;
  readonly deployment: DeploymentStatus | undefined;
}

const LOGS = ["mirror", "deployer", "branches"] as const;
type LogName = (typeof LOGS)[number];
/** A record that ended this long ago and of which no event told: the event is lost. Milliseconds. */
const EVENTS_LAG_MS = 5_000;

export async function lookAt(
  kv: Kv,
  watched: Watched,
  memoryKey: string,
  signal: AbortSignal,
): Promise<Look> {
  const { layout } = watched;
  const keys = LOGS.map((name) => `${layout.events}/${name}`);
  const found = await kv.getMany([memoryKey, layout.deployment, ...keys], signal);
  const logs = Object.fromEntries(LOGS.map((name, at) => [name, readLog(found.get(keys[at] ?? ""))]));
  return {
    memory: found.get(memoryKey),
    logs: logs as Look["logs"],
    deployment: readable("deployment", found.get(layout.deployment)),
  };
}

/** Where nothing is remembered: what happened before `since` counts as told. */
export async function firstMemory(
  kv: Kv,
  { layout }: Watched,
  look: Look,
  since: string,
  signal: AbortSignal,
) {
  const heard: Record<string, number> = {};
  let news = false;
  for (const name of LOGS) {
    const log = look.logs[name];
    const next = log.findIndex(({ event }) => event.at >= since);
    if (next >= 0) news = true;
    const before = next < 0 ? log.at(-1) : log[next - 1];
    heard[name] = before?.seq ?? (log[next]?.seq ?? 1) - 1;
  }
  const memory: Memory = { ...NOTHING_HEARD, heard };
  if (news) return memory;
  const { deployment } = look;
  const conditions = await standing(kv, layout, signal);
  if (!deployment) return { ...memory, conditions };
  const { attempted, state } = deployment;
  const ended = state === "progressing" ? {} : { ended: `${attempted} ${state}` };
  return { ...memory, conditions, begun: attempted, ...ended };
}

async function standing(kv: Kv, layout: KvLayout, signal: AbortSignal): Promise<Memory["conditions"]> {
  const found: Record<JobKey, NonNullable<ReturnType<typeof conditionOf>>> = {};
  for (const status of await statusesOf(kv, layout, signal)) {
    const condition = conditionOf(status);
    if (condition !== undefined && condition !== "well") found[status.key] = condition;
  }
  return found;
}

/** What is new, in order; what the logs no longer hold is found again in the statuses. */
export async function newsOf(
  kv: Kv,
  watched: Watched,
  { look, memory, now }: { readonly look: Look; readonly memory: Memory; readonly now: number },
  signal: AbortSignal,
): Promise<{ readonly news: readonly News[]; readonly ends: Memory["heard"]; readonly recalled: boolean }> {
  const ends: Record<string, number> = {};
  const events: News[] = [];
  let gap = false;
  for (const name of LOGS) {
    const log = look.logs[name];
    const news = fresh(log, memory.heard[name] ?? 0);
    ends[name] = log.at(-1)?.seq ?? memory.heard[name] ?? 0;
    events.push(...news.events.map((one) => ({ ...one, log: name })));
    gap ||= news.gap && name === "deployer";
  }
  events.sort(byTime);
  const lost = lostEnd(watched, look, events, memory, now);
  const news = lost ? [...events, { event: lost }] : events;
  const end = news.findIndex(({ event }) => event.type === "deployment.finished");
  if (!gap && (end < 0 || !isShort(news, memory))) return { news, ends, recalled: false };
  const found = await recall(kv, watched, memory, now, signal);
  const place = end < 0 ? news.length : end;
  return { news: [...news.slice(0, place), ...found, ...news.slice(place)], ends, recalled: true };
}

function byTime({ event: a }: News, { event: b }: News): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}

/** The deployment ended, and the event that says so never came. */
function lostEnd(
  { name }: Watched,
  { deployment }: Look,
  news: readonly News[],
  memory: Memory,
  now: number,
): SluiceEvent | undefined {
  if (!deployment?.finishedAt || deployment.state === "progressing") return undefined;
  const { attempted, state, startedAt, finishedAt } = deployment;
  if (memory.ended === `${attempted} ${state}` || now - Date.parse(finishedAt) < EVENTS_LAG_MS)
    return undefined;
  if (news.some(({ event }) => event.type === "deployment.finished" && event.revision === attempted))
    return undefined;
  return {
    type: "deployment.finished",
    environment: name,
    at: finishedAt,
    revision: attempted,
    status: deployment,
    ms: Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)),
  };
}

/** True where more jobs failed than events told of: a burst does not fit a log. */
function isShort(news: readonly News[], memory: Memory): boolean {
  const failing = new Set(
    Object.entries(memory.conditions).flatMap(([key, one]) => (isFailure(one) ? [key] : [])),
  );
  let most = 0;
  for (const { event } of news) {
    if (event.type === "deployment.finished") most = Math.max(most, event.status.counts.failed);
    if (event.type !== "job.changed") continue;
    const condition = conditionOf(event.status);
    if (condition !== undefined && isFailure(condition)) failing.add(event.key);
    else if (condition === "well") failing.delete(event.key);
  }
  return most > failing.size;
}

const NO_REVISION = "" as Revision;

/** The statuses as events, so that they are heard as those would have been. */
async function recall(
  kv: Kv,
  { name, layout }: Watched,
  memory: Memory,
  now: number,
  signal: AbortSignal,
): Promise<readonly News[]> {
  const stamp = { environment: name, at: new Date(now).toISOString() };
  const statuses = await statusesOf(kv, layout, signal);
  const there = new Set(statuses.map(({ key }) => key));
  const gone = (Object.keys(memory.conditions) as JobKey[]).filter((key) => !there.has(key));
  const unsaid = { previous: undefined, ms: undefined };
  return [
    ...statuses.map(
      (status): News => ({ event: { type: "job.changed", key: status.key, status, ...unsaid, ...stamp } }),
    ),
    // Whatever it was at, nobody waits for it any more.
    ...gone.map((key): News => ({ event: { type: "job.pruned", key, revision: NO_REVISION, ...stamp } })),
  ];
}

async function statusesOf(kv: Kv, layout: KvLayout, signal: AbortSignal): Promise<readonly JobStatus[]> {
  const all = await kv.list(layout.statuses, signal, (entry) => readable("status", entry));
  return all.flatMap((one) => one ?? []);
}

function readable<K extends "status" | "deployment">(kind: K, entry: KvEntry | undefined) {
  try {
    return entry && decodeRecord(kind, entry);
  } catch {
    return undefined;
  }
}
