import {
  type CommitId,
  type CommitInfo,
  encodePath,
  type FilePath,
  isSluiceError,
  type JobFormat,
  type JobKey,
  SluiceError,
  type Source,
  splitJobKey,
  type TreeFile,
} from "@sluice/core";
import type { Environment } from "../../engine/environment.ts";
import { openHistory } from "../../engine/repository.ts";
import type { HttpContext } from "../context.ts";
import { fileOfJob } from "../history/job-file.ts";
import type { JobFile } from "./restore-job.ts";

/** So far back a revision is looked for. */
const MOST_COMMITS = 10_000;
const SHORTEST = 4;

/**
 * The commit of the environment's branch that a person means: `main@sha1:3f2a9c01`, or the first digits of its id.
 * @throws USAGE for what is none, NOT_FOUND where the branch has no such commit.
 */
export async function commitMeant(
  environment: Environment,
  text: string,
  context: HttpContext,
): Promise<CommitInfo> {
  const digits = text.slice(text.lastIndexOf(":") + 1).toLowerCase();
  if (!/^[0-9a-f]+$/.test(digits) || digits.length < SHORTEST)
    throw new SluiceError("USAGE", `"${text}" is no revision: main@sha1:3f2a9c01, or the id's first digits`);
  const history = await openHistory(environment, context);
  const found: CommitInfo[] = [];
  let seen = 0;
  try {
    for await (const { info } of history.walk(() => encodePath("deploy.yaml"), context.signal)) {
      if (info.commit.startsWith(digits)) found.push(info);
      if (++seen >= MOST_COMMITS) break;
    }
  } finally {
    await history.close();
  }
  const [first, second] = found;
  if (second) throw new SluiceError("USAGE", `several commits begin with ${digits}; give more of its digits`);
  if (first) return first;
  const { branch } = environment.config.source;
  throw new SluiceError(
    "NOT_FOUND",
    `the branch ${branch} of ${environment.name} has no commit ${digits} behind it`,
  );
}

/** @throws NOT_FOUND where the branch does not exist yet. */
export async function headOf(
  environment: Environment,
  source: Source,
  signal: AbortSignal,
): Promise<CommitId> {
  const head = await source.head(signal);
  if (head) return head;
  throw new SluiceError("NOT_FOUND", `${environment.name}: the branch ${source.branch} does not exist yet`);
}

/** Where the job is now, as far as anybody remembers. */
export async function rememberedFile(
  environment: Environment,
  key: JobKey,
  context: HttpContext,
): Promise<FilePath | undefined> {
  return fileOfJob(environment, key, context).catch((error: unknown) => {
    if (isSluiceError(error, "NOT_FOUND")) return undefined;
    throw error;
  });
}

export interface Looking {
  readonly source: Source;
  readonly format: JobFormat;
  readonly key: JobKey;
}

/** The file of a commit that holds the job: the likely one, else another one of its folder. @throws NOT_FOUND */
export async function fileAt(
  { source, format, key }: Looking,
  commit: CommitId,
  likely: FilePath | undefined,
  signal: AbortSignal,
): Promise<JobFile> {
  const { target, id } = splitJobKey(key);
  const folder = `${(likely ?? `${target}/`).split("/")[0]}/`;
  const files = (await source.tree(commit, signal)).filter(
    ({ path, kind }) => kind === "file" && path.startsWith(folder) && format.accepts(path),
  );
  const ordered = [
    ...files.filter(({ path }) => path === likely),
    ...files.filter(({ path }) => path !== likely),
  ];
  let broken: JobFile | undefined;
  for (const file of ordered) {
    const one = { path: file.path, bytes: await bytesOf(source, file, signal) };
    const { jobs, problems } = format.parse(one, target);
    if (jobs.some((job) => job.id === id)) return one;
    if (file.path === likely && problems.length > 0) broken = one;
  }
  if (broken) return broken;
  throw new SluiceError("NOT_FOUND", `no file of ${commit.slice(0, 8)} holds the job ${key}`, {
    hint: "It did not exist there. To remove a job, delete its file.",
  });
}

/** The file at a path of a commit; undefined where there is none. @throws USAGE where it is no plain file. */
export async function fileThere(
  source: Source,
  commit: CommitId,
  path: FilePath,
  signal: AbortSignal,
): Promise<JobFile | undefined> {
  const file = (await source.tree(commit, signal)).find((one) => one.path === path);
  return file && { path, bytes: await bytesOf(source, file, signal) };
}

/** @throws USAGE for what is no plain file. */
export async function bytesOf(
  source: Source,
  { path, kind, oid }: TreeFile,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (kind !== "file")
    throw new SluiceError("USAGE", `${path} is a ${kind}, which is not copied; do it by hand`);
  for await (const bytes of source.blobs.read([oid], signal)) return bytes;
  throw new SluiceError("GIT_OBJECT_MISSING", `the contents of ${path} are not there`);
}
