import {
  type CommitId,
  type CommitInfo,
  type CommitNotes,
  decodeRecord,
  displayPath,
  type FilePath,
  type JobFormat,
  type JobKey,
  messageOf,
  type ObjectId,
  type Revision,
  revisionOf,
  type Source,
} from "@sluice/core";
import type { HistoryStep } from "@sluice/git";
import type { Environment } from "../../engine/environment.ts";
import { openHistory, openNotes } from "../../engine/repository.ts";
import type { HttpContext } from "../context.ts";
import { fileOfJob, formatOfJob, identityOf, jobIn } from "./job-file.ts";
import { type JobOutcome, outcomeOf } from "./outcome.ts";

/** One commit that changed a job, and how that did. */
export interface HistoryEntry {
  readonly revision: Revision;
  readonly commit: CommitInfo;
  /** `unreadable`: its file was no file of jobs then. */
  readonly change: "created" | "updated" | "deleted" | "unreadable";
  readonly outcome: JobOutcome;
}

export interface HistoryView {
  readonly job: JobKey;
  readonly file: string;
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
  /** False: there are older ones. */
  readonly complete: boolean;
  /** Why outcomes may be missing. */
  readonly problem: string | undefined;
}

/** So many commits are looked through for those that changed the job. */
const MOST_COMMITS = 10_000;

/** What Git, the notes beside its commits and the KV know of a job: every commit that changed it, newest first. */
export async function historyOf(
  environment: Environment,
  key: JobKey,
  limit: number,
  context: HttpContext,
): Promise<HistoryView> {
  const { signal } = context;
  const file = await fileOfJob(environment, key, context);
  const format = formatOfJob(environment, key);
  const { changes, commits, complete } = await changesOf({ environment, key, file, format, limit }, context);
  const { notes, problem } = await notesOn(environment, commits, context);
  const entry = await context.kv.get(environment.layout.status(key), signal);
  const status = entry && decodeRecord("status", entry);
  const sources = { environment: environment.name, key, notes, status };
  const { branch } = environment.config.source;
  const entries = changes.map(({ at, info, change }, index) => {
    // What Git said from this commit on, until the next one that changed the job.
    const during = commits.slice((changes[index - 1]?.at ?? -1) + 1, at + 1).reverse();
    const revision = revisionOf(branch, info.commit);
    return { revision, commit: info, change, outcome: outcomeOf(during, sources) };
  });
  return { job: key, file: displayPath(file), entries, complete, problem };
}

interface Asked {
  readonly environment: Environment;
  readonly key: JobKey;
  readonly file: FilePath;
  readonly format: JobFormat;
  readonly limit: number;
}

interface FoundChange {
  /** Its place among the commits. */
  readonly at: number;
  readonly info: CommitInfo;
  readonly change: HistoryEntry["change"];
}

async function changesOf(asked: Asked, context: HttpContext) {
  const { environment, file, limit } = asked;
  const history = await openHistory(environment, context);
  const source = await environment.openSource();
  const identity = identities(asked, source, context.signal);
  const changes: FoundChange[] = [];
  const commits: CommitId[] = [];
  let newer: (HistoryStep & { readonly job: string | undefined }) | undefined;
  const note = (older: string | undefined) => {
    if (newer && newer.job !== older)
      changes.push({ at: commits.length - 1, info: newer.info, change: kindOf(older, newer.job) });
  };
  try {
    for await (const step of history.walk(file, context.signal)) {
      const job = await identity(step.blob);
      note(job);
      if (changes.length >= limit || commits.length >= MOST_COMMITS)
        return { changes, commits, complete: false };
      newer = { ...step, job };
      commits.push(step.info.commit);
    }
    note(undefined);
    return { changes, commits, complete: true };
  } finally {
    await Promise.all([history.close(), source.close()]);
  }
}

function kindOf(older: string | undefined, newer: string | undefined): HistoryEntry["change"] {
  if (newer === undefined) return "deleted";
  if (newer === "unreadable") return "unreadable";
  return older === undefined ? "created" : "updated";
}

/** What a blob says of the job, read once for each blob. */
function identities({ key, file, format }: Asked, source: Source, signal: AbortSignal) {
  const known = new Map<ObjectId, string | undefined>();
  return async (blob: ObjectId | undefined): Promise<string | undefined> => {
    if (blob === undefined || known.has(blob)) return blob && known.get(blob);
    for await (const bytes of source.read([blob], signal)) {
      const job = jobIn(format, { path: file, bytes }, key);
      known.set(blob, typeof job === "object" ? identityOf(job) : job);
    }
    return known.get(blob);
  };
}

async function notesOn(environment: Environment, commits: readonly CommitId[], context: HttpContext) {
  let notes: CommitNotes | undefined;
  try {
    notes = await openNotes(environment, context);
    return { notes: await notes.read(commits, context.signal), problem: undefined };
  } catch (error) {
    return { notes: new Map<CommitId, string>(), problem: `the notes cannot be read: ${messageOf(error)}` };
  } finally {
    await notes?.close();
  }
}
