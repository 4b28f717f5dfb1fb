import {
  type FilePath,
  type JobFormat,
  type JobKey,
  type ParsedJob,
  SluiceError,
  splitJobKey,
} from "@sluice/core";
import { identityOf } from "../history/job-file.ts";

/** A file of jobs at some commit. */
export interface JobFile {
  readonly path: FilePath;
  readonly bytes: Uint8Array;
}

export interface RestoreOptions {
  readonly format: JobFormat;
  readonly key: JobKey;
  /** The file the job is to be in, as it is now; undefined: it is not there. */
  readonly now: JobFile | undefined;
  /** The file that says what the job is to be. */
  readonly model: JobFile;
}

/** The file with one job of it as another file has it. */
export interface RestoredFile {
  readonly bytes: Uint8Array;
  readonly from: ParsedJob | undefined;
  readonly to: ParsedJob;
}

/**
 * Takes one job over, and nothing else: the other jobs of the file stay as they are, which is checked by reading the result.
 * @throws USAGE, saying why, where that cannot be done or changes nothing.
 */
export function restoreJob({ format, key, now, model }: RestoreOptions): RestoredFile {
  const { target, id } = splitJobKey(key);
  const read = (file: JobFile | undefined) =>
    file ? format.parse(file, target) : { jobs: [], problems: [] };
  const [before, wanted] = [read(now), read(model)];
  const to = wanted.jobs.find((job) => job.id === id);
  if (!to) throw new SluiceError("USAGE", missing(key, wanted.problems.length > 0));
  const from = before.jobs.find((job) => job.id === id);
  if (from && identityOf(from) === identityOf(to))
    throw new SluiceError("USAGE", `${key} is as it was there already`, {
      hint: "There is nothing to commit.",
    });
  const others = (jobs: readonly ParsedJob[]) => jobs.filter((job) => job.id !== id);
  const alone = others(before.jobs).length === 0 && others(wanted.jobs).length === 0;
  const bytes = alone && before.problems.length === 0 ? model.bytes : spliced(now, from, { model, to });
  const after = format.parse({ path: (now ?? model).path, bytes }, target);
  const same = (a: readonly ParsedJob[], b: readonly ParsedJob[]) =>
    a.map((job) => `${job.id} ${identityOf(job)}`).join("\n") ===
    b.map((job) => `${job.id} ${identityOf(job)}`).join("\n");
  const result = after.jobs.find((job) => job.id === id);
  if (after.problems.length > 0 || !result || identityOf(result) !== identityOf(to))
    throw new SluiceError("USAGE", notAlone(key));
  if (!same(others(before.jobs), others(after.jobs))) throw new SluiceError("USAGE", notAlone(key));
  return { bytes, from, to };
}

function missing(key: JobKey, broken: boolean): string {
  return broken
    ? `the file of ${key} had a problem there, so it cannot be taken over`
    : `${key} does not exist there; to remove it, delete its file`;
}

function notAlone(key: JobKey): string {
  return `${key} shares its file with other jobs and cannot be taken over alone; edit the file by hand`;
}

/** The documents of the file that is there now, the job's own replaced, or put at the end where it has none. */
function spliced(
  now: JobFile | undefined,
  from: ParsedJob | undefined,
  { model, to }: { readonly model: JobFile; readonly to: ParsedJob },
): Uint8Array {
  const body =
    documentsOf(model.bytes).find((one) => one.first <= to.line && to.line <= one.last)?.body ?? [];
  const documents = now ? documentsOf(now.bytes) : [];
  const mine = from && documents.find((one) => one.first <= from.line && from.line <= one.last);
  const parts: (readonly string[])[] = documents.map((one) => [
    ...one.head,
    ...(one === mine ? body : one.body),
  ]);
  if (!mine) parts.push(documents.length > 0 ? ["---", ...body] : body);
  const text = parts.map((lines) => withoutTail(lines).join("\n")).join("\n");
  return Buffer.from(`${text}\n`);
}

interface DocumentLines {
  /** 1-based lines of the file, the line of dashes included. */
  readonly first: number;
  readonly last: number;
  readonly head: readonly string[];
  readonly body: readonly string[];
}

/** The documents of a YAML file, by its lines of dashes. */
function documentsOf(bytes: Uint8Array): DocumentLines[] {
  const documents: { first: number; last: number; head: string[]; body: string[] }[] = [];
  const lines = Buffer.from(bytes).toString("utf8").split(/\r?\n/);
  lines.forEach((line, at) => {
    const begins = /^---(\s|$)/.test(line);
    if (begins || documents.length === 0)
      documents.push({ first: at + 1, last: at + 1, head: begins ? [line] : [], body: begins ? [] : [line] });
    else documents.at(-1)?.body.push(line);
    const open = documents.at(-1);
    if (open) open.last = at + 1;
  });
  return documents;
}

function withoutTail(lines: readonly string[]): readonly string[] {
  let end = lines.length;
  while (end > 0 && lines[end - 1]?.trim() === "") end -= 1;
  return lines.slice(0, end);
}
