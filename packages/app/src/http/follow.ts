import {
  type CommitId,
  type DeploymentStatus,
  type Kv,
  parseRevision,
  type Revision,
  type SluiceEvent,
} from "@sluice/core";
import type { Environment } from "../engine/environment.ts";
import { readEventLog } from "../engine/event-log.ts";
import { eventLines, outcomeLine } from "../text/events.ts";
import { GLYPH } from "../text/glyphs.ts";
import { progressText } from "../text/progress.ts";
import { type News, type NewsOptions, newsOf } from "./news.ts";

/** One thing a follower is told; the last one has `end`. */
export interface FollowLine {
  readonly text?: string;
  /** How many jobs are done, where that was asked for and is new. */
  readonly progress?: DeploymentStatus["counts"];
  readonly end?: "healthy" | "degraded" | "stalled" | "refused" | "superseded" | "timeout";
}

/** Where the event logs stood when the push was judged; older events are of an earlier time. */
export interface FollowFrom {
  readonly mirror: number;
  readonly deployer: number;
}

export interface FollowOptions extends NewsOptions {
  readonly commit: CommitId;
  readonly from: FollowFrom | undefined;
  /** Leave out what the pusher was told before: the plan. */
  readonly plan: boolean;
  /** Tell the numbers of jobs whenever they change. */
  readonly progress?: boolean;
  /** `at` of a sync: the end is its end, not that of an earlier look at the same revision. */
  readonly token?: string | undefined;
}

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
      if (news.kind === "denied") {
        yield { text: `${GLYPH.fail} not all can be told: ${news.message}` };
        continue;
      }
      if (news.kind === "silence") {
        yield { text: await standing(options, state) };
        continue;
      }
      if ("events" in news) {
        const fresh = news.events.filter((one) => one.seq > seen[news.kind]);
        seen[news.kind] = fresh.at(-1)?.seq ?? seen[news.kind];
        for (const { event } of fresh) yield* tell(event, options, state);
      } else if (news.kind === "marker" || news.kind === "deployment") yield* observe(news, options, state);
      if (state.end) return yield { end: state.end };
    }
  } finally {
    ended.abort();
  }
}

interface FollowState {
  mirrored: boolean;
  counts?: DeploymentStatus["counts"];
  end?: NonNullable<FollowLine["end"]>;
}

/** What is being waited for, when nothing has been told for a while. */
async function standing({ kv, environment }: FollowOptions, state: FollowState): Promise<string> {
  const role = state.mirrored ? "deployer" : "mirror";
  const lock = await kv.get(environment.layout.lock(role)).catch(() => "unread" as const);
  if (lock === "unread") return `${GLYPH.wait} Consul does not answer right now, so nothing can be told`;
  if (!lock?.session)
    return `${GLYPH.wait} no ${role} leads ${environment.name} yet; one that ended without a word is replaced in some seconds`;
  if (!state.mirrored) return `${GLYPH.wait} the mirror has not brought this commit yet`;
  if (!state.counts) return `${GLYPH.wait} the deployer has not begun with this commit yet`;
  const silent = await silentTarget(kv, environment).catch(() => undefined);
  return `${GLYPH.wait} ${progressText(state.counts)}${silent ? `; ${silent}` : ""}`;
}

/** A target that was told not to answer, and not since to answer again. */
async function silentTarget(kv: Kv, { layout }: Environment): Promise<string | undefined> {
  const said = new Map<string, string>();
  for (const { event } of readEventLog(await kv.get(`${layout.events}/deployer`))) {
    if (event.type === "target.failed") said.set(event.target, event.message);
    if (event.type === "target.recovered") said.delete(event.target);
  }
  const [first] = said;
  return first && `the target ${first[0]} does not answer: ${first[1]}`;
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
  if (event.type === "mirror.synced") mirroredIn(options, state);
  else if (event.type === "mirror.refused") state.end = "refused";
  else if (event.type === "deployment.superseded") state.end = "superseded";
  else if (event.type === "deployment.finished" && isAnswer(event.status, options))
    state.end = endOf(event.status);
}

/** Where nothing is deployed, that is all there is to wait for. */
function mirroredIn({ environment }: FollowOptions, state: FollowState): void {
  state.mirrored = true;
  if (!environment.deploys) state.end ??= "healthy";
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
function* observe(
  news: Extract<News, { kind: "marker" | "deployment" }>,
  options: FollowOptions,
  state: FollowState,
): Iterable<FollowLine> {
  if (news.kind === "marker") {
    if (news.marker.state !== "synced") return;
    const there = commitOf(news.marker.revision) === options.commit;
    if (state.mirrored && !there) state.end = "superseded";
    state.mirrored = false;
    if (there) mirroredIn(options, state);
  } else if (commitOf(news.status.attempted) === options.commit) {
    const { counts, finishedAt } = news.status;
    if (options.progress && JSON.stringify(counts) !== JSON.stringify(state.counts))
      yield { progress: counts };
    state.counts = counts;
    if (!state.mirrored || !finishedAt || !isAnswer(news.status, options)) return;
    // No event tells of a look that found nothing new.
    if (options.token !== undefined && !state.end) yield { text: outcomeLine(news.status) };
    state.end ??= endOf(news.status);
  }
}

/** Times of ISO 8601 order as texts do; a later sync includes an earlier one. */
function isAnswer({ syncedToken = "" }: DeploymentStatus, { token }: FollowOptions): boolean {
  return token === undefined || syncedToken >= token;
}

function endOf(status: DeploymentStatus): NonNullable<FollowLine["end"]> {
  return status.state === "progressing" ? "degraded" : status.state;
}
