import { createHash } from "node:crypto";
import { splitJobKey } from "@sluice/core";
import { NOTICE_KINDS, type NoticeKind, SEVERITIES, type Severity } from "../notice/kinds.ts";
import { bounded, type Fact, MOST_JOBS, type Notice, type NoticeJob } from "../notice/notice.ts";

/** Who hears of what. Members that are absent select everything; `*` in a pattern stands for any letters. */
export interface Route {
  readonly to: readonly string[];
  readonly environments?: readonly string[] | undefined;
  readonly targets?: readonly string[] | undefined;
  /** Teams, as jobs name them under `owner`. */
  readonly owners?: readonly string[] | undefined;
  /** Patterns of kinds: `job.*`. */
  readonly events?: readonly string[] | undefined;
  /** The least. */
  readonly severity?: Severity | undefined;
}

/**
 * The fact as each channel is to be told it: once, whatever number of routes lead there, and with the jobs that concern those
 * who read there alone.
 */
export function routed(fact: Fact, routes: readonly Route[]): ReadonlyMap<string, Notice> {
  const whole = bounded(fact);
  const all = new Set(routes.flatMap(({ to }) => to));
  const found = new Map<string, Notice>();
  for (const channel of all) {
    const jobs = jobsFor(
      whole,
      routes.filter(({ to }) => to.includes(channel)),
    );
    if (jobs) found.set(channel, addressed(whole, channel, jobs));
  }
  return found;
}

/** Undefined: none of the routes selects the fact. */
function jobsFor(fact: Fact, routes: readonly Route[]): readonly NoticeJob[] | undefined {
  const chosen = routes.filter((route) => matches(route.environments, fact.environment));
  const wanted = new Set<NoticeJob>();
  let selected = false;
  for (const route of chosen) {
    const asWhole = isWanted(route, fact.kind);
    const jobs = fact.jobs.filter((job) => concerns(route, job, asWhole));
    for (const job of jobs) wanted.add(job);
    if (jobs.length > 0 || (asWhole && concernsAll(route, fact))) selected = true;
  }
  return selected ? fact.jobs.filter((job) => wanted.has(job)) : undefined;
}

function isWanted({ events, severity }: Route, kind: NoticeKind): boolean {
  const least = SEVERITIES.indexOf(severity ?? "info");
  return matches(events, kind) && SEVERITIES.indexOf(NOTICE_KINDS[kind]) >= least;
}

/** A deployment that went wrong is also the news of each job that did. */
function concerns(route: Route, job: NoticeJob, asWhole: boolean): boolean {
  if (!asWhole && !(job.kind && isWanted(route, job.kind))) return false;
  return matches(route.targets, splitJobKey(job.key).target) && matches(route.owners, job.owner);
}

/** What is about no job concerns whoever does not ask for the jobs of a team. */
function concernsAll({ targets, owners }: Route, fact: Fact): boolean {
  return owners === undefined && (targets === undefined || matches(targets, fact.target));
}

function matches(patterns: readonly string[] | undefined, text: string | undefined): boolean {
  if (patterns === undefined) return true;
  return text !== undefined && patterns.some((pattern) => isLike(pattern, text));
}

function isLike(pattern: string, text: string): boolean {
  const literal = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`, "s").test(text);
}

function addressed(fact: Fact, channel: string, jobs: readonly NoticeJob[]): Notice {
  const said = JSON.stringify([
    channel,
    fact.kind,
    fact.environment,
    fact.at,
    fact.title,
    jobs.map(({ key }) => key),
  ]);
  return {
    ...fact,
    id: createHash("sha256").update(said).digest("hex").slice(0, 24),
    severity: NOTICE_KINDS[fact.kind],
    jobs: jobs.slice(0, MOST_JOBS),
    moreJobs: Math.max(0, jobs.length - MOST_JOBS),
  };
}
