import {
  type DesiredFile,
  type DesiredJob,
  encodePath,
  type FilePath,
  fingerprintOf,
  type JobFormat,
  type JobId,
  jobKey,
  messageOf,
  type ParsedFile,
  type ParsedJob,
  type Problem,
  type TargetName,
} from "@sluice/core";
import { type Policy, type TargetPolicy, targetOfFile } from "../policy/policy.ts";

export type Formats = ReadonlyMap<TargetName, JobFormat>;

/** The jobs of one file; undefined for a file that is none of ours: outside every folder, or not of its target's format. */
export function parseJobFile(
  file: { readonly path: FilePath; readonly bytes: Uint8Array },
  policy: Policy,
  formats: Formats,
): DesiredFile | undefined {
  const target = targetOfFile(file.path, policy);
  if (target === undefined) return undefined;
  const format = formats.get(target);
  const settings = policy.get(target);
  if (!format?.accepts(file.path) || !settings) return undefined;
  const { jobs, problems } = parsed(file, format, target);
  const nameless = jobs.filter((job) => !isKvSafe(job.id));
  return {
    target,
    problems: [...problems, ...nameless.map((job) => namelessProblem(job, file.path))],
    jobs: jobs.filter((job) => isKvSafe(job.id)).map((job) => desiredJob(job, file.path, target, settings)),
  };
}

/** True for a file that can matter: the rest need not be read at all. */
export function isJobFile(path: FilePath, policy: Policy, formats: Formats): boolean {
  const target = targetOfFile(path, policy);
  return target !== undefined && formats.get(target)?.accepts(path) === true;
}

function parsed(
  file: { readonly path: FilePath; readonly bytes: Uint8Array },
  format: JobFormat,
  target: TargetName,
): ParsedFile {
  try {
    return format.parse(file, target);
  } catch (error) {
    // One file that a format stumbles over must stall its own jobs only, not the environment.
    return { jobs: [], problems: [{ file: file.path, reason: "InvalidSpec", message: messageOf(error) }] };
  }
}

/** Status and inventory are kept under the job's id, so it must be one that can stand in a KV key. */
function isKvSafe(id: JobId): boolean {
  try {
    return encodePath(id) !== undefined;
  } catch {
    return false;
  }
}

function namelessProblem({ id, line }: ParsedJob, file: FilePath): Problem {
  const message = `"${id}" cannot be kept under its name: an empty, "." or ".." part is not allowed in an id`;
  return { file, line, reason: "InvalidSpec", message };
}

function desiredJob(job: ParsedJob, file: FilePath, target: TargetName, policy: TargetPolicy): DesiredJob {
  return {
    key: jobKey(target, job.id),
    target,
    id: job.id,
    file,
    line: job.line,
    spec: job.spec,
    fingerprint: fingerprintOf(job.spec),
    options: {
      ...job.options,
      waitMs: job.options.waitMs ?? policy.waitMs,
      owner: job.options.owner ?? policy.owner,
    },
  };
}
