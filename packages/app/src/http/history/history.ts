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
import type { Environment } from "../../engine/environment.ts";
import { readEventLog } from "../../engine/event-log.ts";
import { openHistory, openNotes } from "../../engine/repository.ts";
import type { HttpContext } from "../context.ts";
import { fileOfJob, formatOfJob, identityOf, jobIn } from "./job-file.ts";
import { type JobOutcome, outcomeOf } from "./outcome.ts";

/** One commit that changed a job, and how that did. */
export interface HistoryEntry {
  readonly revision: Revision;
  readonly commit: CommitInfo;
  /** `moved`: to another file, and nothing else. `unreadable`: its file was no file of jobs then. */
  readonly change: "created" | "updated" | "moved" | "deleted" | "unreadable";
  /** Where the job was from this commit on. */
  readonly file: string;
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
  const log = readEventLog(await context.kv.get(`${environment.layout.events}/deployer`, signal));
  const sources = {
    environment: environment.name,
    key,
    notes,
    status,
    events: log.map(({ event }) => event),
  };
  const { branch } = environment.config.source;
  const entries = changes.map(({ at, info, change, file: there }, index) => {
    // What Git said from this commit on, until the next one that changed the job.
    const during = commits.slice((changes[index - 1]?.at ?? -1) + 1, at + 1).reverse();
    const revision = revisionOf(branch, info.commit);
    const outcome = outcomeOf(during, sources);
    return { revision, commit: info, change, file: displayPath(there), outcome };
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
  readonly file: FilePath;
}

/** A commit that was walked past, and the job in it. */
interface Seen {
  readonly info: CommitInfo;
  readonly job: string | undefined;
  readonly file: FilePath;
}

async function changesOf(asked: Asked, context: HttpContext) {
  const { environment, limit } = asked;
  const history = await openHistory(environment, context);
  const source = await environment.openSource();
  const identity = identities(asked, source, context.signal);
  const changes: FoundChange[] = [];
  const commits: CommitId[] = [];
  let newer: Seen | undefined;
  let file = asked.file;
  const note = (older: Pick<Seen, "job" | "file"> | undefined) => {
    if (!newer || (newer.job === older?.job && newer.file === (older?.file ?? newer.file))) return;
    const { info } = newer;
    changes.push({ at: commits.length - 1, info, change: kindOf(older?.job, newer.job), file: newer.file });
  };
  try {
    for await (const { info, blob } of history.walk(() => file, context.signal)) {
      let job = await identity(file, blob);
      if (job === undefined && newer?.job !== undefined) {
        const moved = await movedFrom({ source, identity, asked, file }, info, newer.info, context.signal);
        if (moved) ({ job, file } = moved);
      }
      note({ job, file });
      if (changes.length >= limit || commits.length >= MOST_COMMITS)
        return { changes, commits, complete: false };
      newer = { info, job, file };
      commits.push(info.commit);
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
  if (older === undefined) return "created";
  return older === newer ? "moved" : "updated";
}

interface Moving {
  readonly source: Source;
  readonly identity: ReturnType<typeof identities>;
  readonly asked: Asked;
  /** Where the job came to. */
  readonly file: FilePath;
}

/** So many files of one commit are looked through for a job that was not in its file before. */
const MOST_FILES = 200;

/** The file that held the job before a commit did not: one of its top-level folder, changed or deleted by that very commit. */
async function movedFrom(
  { source, identity, asked, file }: Moving,
  older: CommitInfo,
  newer: CommitInfo,
  signal: AbortSignal,
): Promise<Pick<Seen, "job" | "file"> | undefined> {
  const folder = `${file.split("/")[0]}/`;
  const changed = await source.changes(older.commit, newer.commit, signal);
  const candidates = changed.filter(
    ({ path, from }) => from?.kind === "file" && path.startsWith(folder) && asked.format.accepts(path),
  );
  for (const { path, from } of candidates.slice(0, MOST_FILES)) {
    const job = await identity(path, from?.oid);
    if (job !== undefined && job !== "unreadable") return { job, file: path };
  }
  return undefined;
}

/** What a blob says of the job, read once for each blob. */
function identities({ key, format }: Asked, source: Source, signal: AbortSignal) {
  const known = new Map<ObjectId, string | undefined>();
  return async (path: FilePath, blob: ObjectId | undefined): Promise<string | undefined> => {
    if (blob === undefined || known.has(blob)) return blob && known.get(blob);
    for await (const bytes of source.blobs.read([blob], signal)) {
      const job = jobIn(format, { path, bytes }, key);
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
