import type { EnvName, JobKey, Revision, TargetName } from "@sluice/core";
import type { NoticeKind, Severity } from "./kinds.ts";

/** One field of a job, masked, as text. */
export interface ShownField {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** What a notice says of one job. */
export interface NoticeJob {
  readonly key: JobKey;
  /** What happened to it; undefined: it is changed by the deployment, and that is all. */
  readonly kind?: NoticeKind;
  readonly change?: "create" | "update" | "prune";
  readonly fields?: readonly ShownField[];
  readonly owner?: string;
  readonly reason?: string;
  /** A sentence. */
  readonly message?: string;
  /** A command that brings the job's last healthy revision back. */
  readonly rollback?: string;
}

/** The commit a notice is about. Author and subject are what anybody wrote into it. */
export interface NoticeCommit {
  readonly id: string;
  readonly subject?: string;
  readonly author?: string;
}

/** One message, as facts; each channel words it for itself. All texts are untrusted and plain. */
export interface Notice {
  /** The same for the same fact and channel, however often it is sent. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly severity: Severity;
  /** "*": the engine as a whole. */
  readonly environment: EnvName;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** One line. */
  readonly title: string;
  /** Why, as a sentence; empty where the title says it all. */
  readonly message: string;
  readonly reason?: string;
  readonly target?: TargetName;
  readonly revision?: Revision;
  /** The revision that was whole before. */
  readonly previous?: Revision;
  readonly commit?: NoticeCommit;
  /** Milliseconds. */
  readonly ms?: number;
  /** Failed ones first. */
  readonly jobs: readonly NoticeJob[];
  /** How many jobs there are besides. */
  readonly moreJobs: number;
  /** Where a person looks at it. */
  readonly url?: string;
}

/** A notice that is not yet addressed to anybody. */
export type Fact = Omit<Notice, "id" | "severity" | "moreJobs">;

/** A message names so many jobs at the most. */
export const MOST_JOBS = 20;
const LONGEST_TITLE = 200;
const LONGEST_MESSAGE = 1_500;
const LONGEST_LINE = 300;

/** Everything of a fact that could be large, cut to what a message may hold. */
export function bounded(fact: Fact): Fact {
  const { commit } = fact;
  return {
    ...fact,
    title: cut(oneLine(fact.title), LONGEST_TITLE),
    message: cut(fact.message.replace(/[^\P{Cc}\n]/gu, " ").trim(), LONGEST_MESSAGE),
    ...(commit ? { commit: boundedCommit(commit) } : {}),
    jobs: fact.jobs.map((job) =>
      job.message === undefined ? job : { ...job, message: cut(oneLine(job.message), LONGEST_LINE) },
    ),
  };
}

function boundedCommit({ id, subject, author }: NoticeCommit): NoticeCommit {
  return {
    id,
    ...(subject === undefined ? {} : { subject: cut(oneLine(subject), LONGEST_LINE) }),
    ...(author === undefined ? {} : { author: cut(oneLine(author), LONGEST_LINE) }),
  };
}

/** Nothing can look like a line of its own, nor turn the direction of what follows. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
}

/** At most `length` UTF-16 units, never half a character; what is missing is shown by "…". */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const head = text.slice(0, Math.max(0, length - 1));
  return `${/[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head}…`;
}
