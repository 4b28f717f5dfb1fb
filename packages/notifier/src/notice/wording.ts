import { type Notice, type NoticeJob, oneLine } from "./notice.ts";

/** A name with its value, plain. */
export interface Line {
  readonly name: string;
  readonly value: string;
}

/** The short facts of a notice, in the order a person asks for them. */
export function factsOf(notice: Notice): readonly Line[] {
  const { environment, target, revision, previous, commit, ms, reason } = notice;
  const lines: Line[] = [];
  const add = (name: string, value: string | undefined) => {
    if (value) lines.push({ name, value });
  };
  if (environment !== "*") add("Environment", environment);
  add("Target", target);
  if (revision !== undefined)
    add(
      "Revision",
      previous === undefined || previous === revision
        ? short(revision)
        : `${short(previous)} → ${short(revision)}`,
    );
  if (commit) add("Commit", [commit.id.slice(0, 8), commit.subject].filter(Boolean).join(" "));
  add("Author", commit?.author);
  add("Took", ms === undefined ? undefined : durationText(ms));
  add("Reason", reason);
  return lines;
}

/** A job with what changed, what happened and how to go back, each a line. */
export function jobLines(job: NoticeJob): readonly string[] {
  const { key, kind, change, fields = [], reason, message, rollback, owner } = job;
  const state = kind === undefined ? (change ?? "") : kind.slice("job.".length);
  const team = owner === undefined ? "" : ` (${owner})`;
  const why = [reason, message].filter(Boolean).join(": ");
  return [
    `${oneLine(key)}${team}${state ? ` ${state}` : ""}${why ? `: ${why}` : ""}`,
    ...fields.map(({ path, from, to }) => `  ${path}: ${from} → ${to}`),
    ...(rollback === undefined ? [] : [`  back: ${rollback}`]),
  ];
}

/** Every line of every job, and how many more there are. */
export function allJobLines({ jobs, moreJobs }: Notice): readonly string[] {
  const lines = jobs.flatMap(jobLines);
  return moreJobs > 0 ? [...lines, `and ${moreJobs} more`] : lines;
}

/** `main@sha1:0123…` with eight digits. */
function short(revision: string): string {
  return revision.replace(/(@sha\w+:[0-9a-f]{8})[0-9a-f]+$/, "$1");
}

export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${Math.round(seconds - minutes * 60)}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
