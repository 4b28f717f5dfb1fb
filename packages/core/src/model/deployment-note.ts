import { parseDuration } from "./duration.ts";
import type { EnvName, JobKey } from "./ids.ts";
import { displayPath, encodePath, type FilePath } from "./path.ts";

/** How a deployment of one commit to one environment ended, as a note on that commit tells it. */
export interface DeploymentNote {
  readonly environment: EnvName;
  readonly state: "healthy" | "degraded" | "stalled" | "superseded";
  /** From its beginning to its end, in milliseconds; undefined where nobody knows. */
  readonly ms: number | undefined;
  /** When it ended; ISO 8601, UTC. */
  readonly at: string;
  readonly counts: { readonly created: number; readonly updated: number; readonly pruned: number };
  /** What was not well, the worst first. */
  readonly problems: readonly NotedProblem[];
}

export interface NotedProblem {
  /** Undefined: the environment as a whole is meant. */
  readonly key: JobKey | undefined;
  /** A word of `REASONS` of the version that wrote it. */
  readonly reason: string;
  readonly message: string;
}

/** The ref under which the notes are: `git log --notes=deployments`. */
export const DEPLOYMENT_NOTES_REF = "refs/notes/deployments";

/** A note holds this many problems at the most; one more line says how many there are besides. */
const MOST_PROBLEMS = 20;
const LONGEST_MESSAGE = 300;
const COUNTED = ["created", "updated", "pruned"] as const;

/**
 * The lines that are appended to a commit's note, each ended:
 * ```
 * production: degraded in 302.4s at 2026-11-21T10:00:00.000Z (2 updated, 1 pruned) [sluice]
 *   apps/shop/web HealthTimeout: not healthy within 5m
 * ```
 */
export function formatDeploymentNote(note: DeploymentNote): string {
  const took = note.ms === undefined ? "" : ` in ${note.ms / 1_000}s`;
  const done = COUNTED.filter((kind) => note.counts[kind] > 0).map((kind) => `${note.counts[kind]} ${kind}`);
  const what = done.length > 0 ? done.join(", ") : "nothing to do";
  const lines = [`${note.environment}: ${note.state}${took} at ${note.at} (${what}) [sluice]`];
  for (const { key, reason, message } of note.problems.slice(0, MOST_PROBLEMS))
    lines.push(`  ${key === undefined ? "" : `${encodePath(key)} `}${reason}: ${oneLine(message)}`);
  const more = note.problems.length - MOST_PROBLEMS;
  if (more > 0) lines.push(`  and ${more} more`);
  return `${lines.join("\n")}\n`;
}

const HEAD =
  /^([a-z0-9-]+): (healthy|degraded|stalled|superseded)(?: in (\S+))? at (\d{4}-\d\d-\d\dT[\d:.]+Z) \(([^)]*)\) \[sluice\]$/;
const PROBLEM = /^ {2}(?:(\S+) )?([A-Z][A-Za-z]+): (.*)$/;

/** Every deployment a note tells of, in the order it was written; lines of people, wherever they stand, are none. */
export function parseDeploymentNotes(text: string): readonly DeploymentNote[] {
  const notes: (DeploymentNote & { problems: NotedProblem[] })[] = [];
  let open = false;
  for (const line of text.split(/\r?\n/)) {
    const head = headIn(line);
    if (head) notes.push(head);
    const problem: NotedProblem | undefined = open && !head ? problemIn(line) : undefined;
    if (problem) notes.at(-1)?.problems.push(problem);
    open = head !== undefined || problem !== undefined;
  }
  return notes;
}

function headIn(line: string): (DeploymentNote & { problems: NotedProblem[] }) | undefined {
  const [, environment, state, took, at = "", done = ""] = HEAD.exec(line) ?? [];
  if (environment === undefined || Number.isNaN(Date.parse(at))) return undefined;
  const count = (kind: string) => Number(new RegExp(`(\\d+) ${kind}`).exec(done)?.[1] ?? 0);
  return {
    environment: environment as EnvName,
    state: state as DeploymentNote["state"],
    ms: took === undefined ? undefined : parseDuration(took),
    at,
    counts: { created: count("created"), updated: count("updated"), pruned: count("pruned") },
    problems: [],
  };
}

function problemIn(line: string): NotedProblem | undefined {
  const [, key, reason, message] = PROBLEM.exec(line) ?? [];
  if (reason === undefined || message === undefined) return undefined;
  return {
    key: key === undefined ? undefined : (displayPath(key as FilePath) as string as JobKey),
    reason,
    message,
  };
}

/** Nothing in a message may look like a line of its own, or write to a terminal. */
function oneLine(message: string): string {
  const flat = message.replace(/[\s\p{Cc}\u2028\u2029]+/gu, " ").trim();
  return flat.length > LONGEST_MESSAGE ? `${flat.slice(0, LONGEST_MESSAGE - 1)}…` : flat;
}
