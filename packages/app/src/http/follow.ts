import {
  type Clock,
  type CommitId,
  type DeploymentStatus,
  decodeRecord,
  type Kv,
  type KvEntry,
  parseRevision,
  type Revision,
  type RevisionMarker,
  type SluiceEvent,
} from "@sluice/core";
import type { Environment } from "../engine/environment.ts";
import { type LoggedEvent, readEventLog } from "../engine/event-log.ts";
import { eventLines } from "../text/events.ts";
import { GLYPH } from "../text/glyphs.ts";

/** One thing a follower is told; the last one has `end`. */
export interface FollowLine {
  readonly text?: string;
  readonly end?: "healthy" | "degraded" | "stalled" | "refused" | "superseded" | "timeout";
}

/** Where the event logs stood when the push was judged; older events are of an earlier time. */
export interface FollowFrom {
  readonly mirror: number;
  readonly deployer: number;
}

export interface FollowOptions {
  readonly kv: Kv;
  readonly environment: Environment;
  readonly commit: CommitId;
  readonly from: FollowFrom | undefined;
  /** Leave out what the pusher was told before: the plan. */
  readonly plan: boolean;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

type News =
  | { kind: "mirror" | "deployer"; events: readonly LoggedEvent[] }
  | { kind: "marker"; marker: RevisionMarker }
  | { kind: "deployment"; status: DeploymentStatus }
  | { kind: "timeout" };

/** Where the logs of an environment stand now. */
export async function followFrom(kv: Kv, environment: Environment): Promise<FollowFrom> {
  const keys = [`${environment.layout.events}/mirror`, `${environment.layout.events}/deployer`] as const;
  const entries = await kv.getMany(keys);
  const [mirror, deployer] = keys.map((key) => readEventLog(entries.get(key)).at(-1)?.seq ?? 0) as [
    number,
    number,
  ];
  return { mirror, deployer };
}

/** Tells how one commit fares in one environment, from the mirror to the last healthy job, by watching four small keys. */
export async function* follow(options: FollowOptions, signal: AbortSignal): AsyncIterable<FollowLine> {
  const ended = new AbortController();
  const seen = { mirror: options.from?.mirror ?? 0, deployer: options.from?.deployer ?? 0 };
  const state: FollowState = { mirrored: false };
  try {
    for await (const news of newsOf(options, AbortSignal.any([signal, ended.signal]))) {
      if (news.kind === "timeout") return yield timedOut(options);
      if ("events" in news) {
        const fresh = news.events.filter((one) => one.seq > seen[news.kind]);
        seen[news.kind] = fresh.at(-1)?.seq ?? seen[news.kind];
        for (const { event } of fresh) yield* tell(event, options, state);
      } else observe(news, options, state);
      if (state.end) return yield { end: state.end };
    }
  } finally {
    ended.abort();
  }
}

interface FollowState {
  mirrored: boolean;
  end?: NonNullable<FollowLine["end"]>;
}

function timedOut({ environment }: FollowOptions): FollowLine {
  return {
    text: `${GLYPH.wait} still in progress; \`sluice status --environment ${environment.name}\` tells more`,
    end: "timeout",
  };
}

function* tell(event: SluiceEvent, options: FollowOptions, state: FollowState): Iterable<FollowLine> {
  if (revisionIn(event) !== options.commit) return;
  if (event.type !== "deployment.planned" || options.plan)
    for (const text of eventLines(event)) yield { text };
  if (event.type === "mirror.synced") state.mirrored = true;
  else if (event.type === "mirror.refused") state.end = "refused";
  else if (event.type === "deployment.superseded") state.end = "superseded";
  else if (event.type === "deployment.finished") state.end = endOf(event.status);
}

function revisionIn(event: SluiceEvent): CommitId | undefined {
  const revision =
    "revision" in event ? event.revision : event.type === "job.changed" ? event.status.attempted : undefined;
  return revision === undefined ? undefined : commitOf(revision);
}

function commitOf(revision: Revision): CommitId {
  return parseRevision(revision).commit;
}

/** The keys tell the end too, for a follower who came late or whose events were pushed out of the short log. */
function observe(
  news: Extract<News, { kind: "marker" | "deployment" }>,
  options: FollowOptions,
  state: FollowState,
): void {
  if (news.kind === "marker") {
    if (news.marker.state !== "synced") return;
    const there = commitOf(news.marker.revision) === options.commit;
    if (state.mirrored && !there) state.end = "superseded";
    state.mirrored = there;
  } else if (state.mirrored && commitOf(news.status.attempted) === options.commit && news.status.finishedAt) {
    state.end ??= endOf(news.status);
  }
}

function endOf(status: DeploymentStatus): NonNullable<FollowLine["end"]> {
  return status.state === "progressing" ? "degraded" : status.state;
}

/** How long the deployment's own key waits before it is believed to be the end: the events behind it are on their way. */
const EVENTS_LAG_MS = 1_000;

async function* newsOf(
  { kv, environment, clock, deadlineMs }: FollowOptions,
  signal: AbortSignal,
): AsyncIterable<News> {
  const { layout } = environment;
  const queue: News[] = [];
  let wake: () => void = () => undefined;
  const push = (news: News) => {
    queue.push(news);
    wake();
  };
  const watch = async (key: string, read: (entry: KvEntry) => News, lagMs: number) => {
    for await (const entry of kv.watch(key, { signal })) {
      if (!entry) continue;
      if (lagMs > 0) await clock.sleep(lagMs, signal);
      push(read(entry));
    }
  };
  for (const kind of ["mirror", "deployer"] as const)
    void watch(`${layout.events}/${kind}`, (entry) => ({ kind, events: readEventLog(entry) }), 0).catch(
      () => undefined,
    );
  void watch(
    layout.revision,
    (entry) => ({ kind: "marker", marker: decodeRecord("marker", entry) }),
    0,
  ).catch(() => undefined);
  void watch(
    layout.deployment,
    (entry) => ({ kind: "deployment", status: decodeRecord("deployment", entry) }),
    EVENTS_LAG_MS,
  ).catch(() => undefined);
  void clock.sleep(deadlineMs, signal).then(() => push({ kind: "timeout" }));
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    const news = queue.shift();
    if (news) yield news;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}
