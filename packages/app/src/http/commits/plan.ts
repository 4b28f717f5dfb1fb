import {
  type ChangeSummary,
  type CommitId,
  type CommitInfo,
  displayPath,
  type FileEdit,
  type FilePath,
  type JobKey,
  maskField,
  type Problem,
  revisionOf,
  SluiceError,
  type Source,
  shortRevision,
} from "@sluice/core";
import { reviewer } from "@sluice/deployer";
import type { Environment } from "../../engine/environment.ts";
import { problemLine } from "../../text/changes.ts";
import type { HttpContext } from "../context.ts";
import { formatOfJob } from "../history/job-file.ts";
import { bytesOf, commitMeant, fileAt, fileThere, headOf, rememberedFile } from "./places.ts";
import { type RestoredFile, restoreJob } from "./restore-job.ts";

/** A commit that is to be made. */
export interface PlannedCommit {
  readonly parent: CommitId;
  readonly edits: readonly FileEdit[];
  readonly subject: string;
  readonly about: string;
  readonly changes: readonly ChangeSummary[];
}

/** One job as it was at an earlier commit of its branch. @throws USAGE, NOT_FOUND saying why not. */
export async function planJobRollback(
  environment: Environment,
  { key, to }: { readonly key: JobKey; readonly to: string },
  context: HttpContext,
): Promise<PlannedCommit> {
  const { signal } = context;
  const format = formatOfJob(environment, key);
  const info = await commitMeant(environment, to, context);
  const likely = await rememberedFile(environment, key, context);
  return withSource(environment, async (source) => {
    const parent = await headOf(environment, source, signal);
    const model = await fileAt({ source, format, key }, info.commit, likely, signal);
    const now = await fileThere(source, parent, likely ?? model.path, signal);
    const restored = restoreJob({ format, key, now, model });
    return {
      parent,
      edits: [{ path: (now ?? model).path, content: restored.bytes }],
      subject: `Roll back ${key} to ${shortOf(environment, info)}`,
      about: `Restores ${key} as ${displayPath(model.path)} had it in ${commitText(info)}.`,
      changes: [summaryOf(key, restored, format.compare)],
    };
  });
}

/** Every file of the environment as it was at an earlier commit. @throws USAGE, NOT_FOUND */
export async function planRollback(
  environment: Environment,
  to: string,
  context: HttpContext,
): Promise<PlannedCommit> {
  const { signal } = context;
  const info = await commitMeant(environment, to, context);
  return withSource(environment, async (source) => {
    const parent = await headOf(environment, source, signal);
    const differing = await source.changes(parent, info.commit, signal);
    if (differing.length === 0)
      throw new SluiceError(
        "USAGE",
        `${environment.name} is as ${shortOf(environment, info)} has it already`,
      );
    const edits: FileEdit[] = [];
    for (const { path, from, to: file } of differing) {
      if (from && from.kind !== "file")
        throw new SluiceError("USAGE", `${path} is a ${from.kind}; do it by hand`);
      edits.push({ path, content: file && (await bytesOf(source, file, signal)) });
    }
    const review = await reviewer({ formats: environment.formats }).review(
      source,
      parent,
      info.commit,
      signal,
    );
    refuseProblems(review.problems);
    return {
      parent,
      edits,
      subject: `Roll back ${environment.name} to ${shortOf(environment, info)}`,
      about: `Restores every file as it was in ${commitText(info)}.`,
      changes: review.changes,
    };
  });
}

/** A job, or the files below a path, as another environment's newest commit has them. @throws USAGE, NOT_FOUND */
export async function planPromotion(
  from: Environment,
  to: Environment,
  what: string,
  context: HttpContext,
): Promise<PlannedCommit> {
  const { signal } = context;
  return withSource(from, (theirs) =>
    withSource(to, async (ours) => {
      const [commit, parent] = [await headOf(from, theirs, signal), await headOf(to, ours, signal)];
      const about = `${from.name} is at ${shortRevision(revisionOf(theirs.branch, commit))}.`;
      const subject = `Promote ${what} from ${from.name} to ${to.name}`;
      const key = what as JobKey;
      const likely = await rememberedFile(from, key, context);
      if (!likely) {
        const edits = await copied({ theirs, commit, ours, parent }, what, signal);
        return { parent, edits, subject, about, changes: [] };
      }
      const format = formatOfJob(to, key);
      const model = await fileAt({ source: theirs, format, key }, commit, likely, signal);
      const path = (await rememberedFile(to, key, context)) ?? model.path;
      const now = await fileThere(ours, parent, path, signal);
      const restored = restoreJob({ format, key, now, model });
      const edits = [{ path, content: restored.bytes }];
      return { parent, edits, subject, about, changes: [summaryOf(key, restored, format.compare)] };
    }),
  );
}

interface Copying {
  readonly theirs: Source;
  readonly commit: CommitId;
  readonly ours: Source;
  readonly parent: CommitId;
}

/** What is at or below the path there and differs here; nothing is deleted. */
async function copied(
  { theirs, commit, ours, parent }: Copying,
  what: string,
  signal: AbortSignal,
): Promise<readonly FileEdit[]> {
  const top = what.replace(/\/+$/, "");
  const wanted = (await theirs.tree(commit, signal)).filter(
    ({ path }) => displayPath(path) === top || displayPath(path).startsWith(`${top}/`),
  );
  if (wanted.length === 0)
    throw new SluiceError("NOT_FOUND", `there is no job, file or folder "${what}" to promote`);
  const here = new Map<FilePath, string>();
  for (const { path, oid } of await ours.tree(parent, signal)) here.set(path, oid);
  const edits: FileEdit[] = [];
  for (const file of wanted)
    if (here.get(file.path) !== file.oid)
      edits.push({ path: file.path, content: await bytesOf(theirs, file, signal) });
  if (edits.length > 0) return edits;
  throw new SluiceError("USAGE", `${what} is the same there already`, {
    hint: "There is nothing to commit.",
  });
}

async function withSource<T>(environment: Environment, work: (source: Source) => Promise<T>): Promise<T> {
  const source = await environment.openSource();
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

type Compare = ReturnType<typeof formatOfJob>["compare"];

function summaryOf(key: JobKey, { from, to }: RestoredFile, compare: Compare): ChangeSummary {
  const fields = from ? compare(to.spec, from.spec, []).map(maskField) : [];
  return { kind: from ? "update" : "create", key, fields };
}

function refuseProblems(problems: readonly Problem[]): void {
  if (problems.length > 0)
    throw new SluiceError(
      "USAGE",
      `what was there cannot be deployed: ${problems.map(problemLine).join("; ")}`,
    );
}

function shortOf({ config }: Environment, { commit }: CommitInfo): string {
  return shortRevision(revisionOf(config.source.branch, commit));
}

function commitText({ commit, author, at, subject }: CommitInfo): string {
  return `${commit} ("${subject}", ${author}, ${at})`;
}
