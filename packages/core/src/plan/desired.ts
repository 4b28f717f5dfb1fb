import type { JobKey, TargetName } from "../model/ids.ts";
import type { DesiredJob, Problem } from "../model/job.ts";
import type { FilePath } from "../model/path.ts";
import { dependencyCycles } from "./order.ts";

/** What one file of the revision says, parsed once and kept while its content stays. */
export interface DesiredFile {
  readonly target: TargetName;
  readonly jobs: readonly DesiredJob[];
  readonly problems: readonly Problem[];
}

/** What a whole revision wants. */
export interface Desired {
  /** Only jobs that can be applied: those a problem concerns are left out. */
  readonly jobs: ReadonlyMap<JobKey, DesiredJob>;
  readonly problems: readonly Problem[];
  /** The jobs a problem concerns, as far as their ids can be known. */
  readonly stalled: ReadonlyMap<JobKey, Problem>;
  /** Per target the files that have a problem: what they might hold is unknown, so it is not gone. */
  readonly broken: ReadonlyMap<TargetName, readonly FilePath[]>;
}

/** Brings the files of a revision together: finds jobs claimed twice, circles, and dependencies on jobs that are not there. */
export function resolveDesired(files: ReadonlyMap<FilePath, DesiredFile>): Desired {
  const claims = claimsOf(files);
  const problems: Problem[] = [];
  const stalled = new Map<JobKey, Problem>();
  const jobs = new Map<JobKey, DesiredJob>();
  for (const file of files.values()) problems.push(...file.problems);
  for (const [key, claimants] of claims) {
    const [first, second] = claimants as [DesiredJob, DesiredJob | undefined];
    if (!second) jobs.set(key, first);
    else
      for (const job of claimants)
        report(job, "Duplicate", `the job ${key} is also in ${other(job, claimants).file}`);
  }
  for (const job of jobs.values()) {
    const unknown = job.options.dependsOn.find((key) => !claims.has(key));
    if (unknown)
      report(
        job,
        "InvalidSpec",
        `it depends on ${unknown}, which no file of this revision holds`,
        "sluice.dependsOn",
      );
  }
  for (const cycle of dependencyCycles(jobs)) {
    const circle = [...cycle, cycle[0]].join(" → ");
    for (const job of cycle.map((key) => jobs.get(key)))
      if (job)
        report(job, "DependencyCycle", `these jobs depend on each other: ${circle}`, "sluice.dependsOn");
  }
  for (const key of stalled.keys()) jobs.delete(key);
  return { jobs, problems, stalled, broken: brokenFiles(files, stalled, claims) };

  function report(job: DesiredJob, reason: Problem["reason"], message: string, key?: string) {
    const problem: Problem = {
      file: job.file,
      line: job.line,
      reason,
      message,
      ...(key === undefined ? {} : { key }),
    };
    problems.push(problem);
    if (!stalled.has(job.key)) stalled.set(job.key, problem);
  }
}

function claimsOf(files: ReadonlyMap<FilePath, DesiredFile>): Map<JobKey, DesiredJob[]> {
  const claims = new Map<JobKey, DesiredJob[]>();
  for (const file of files.values()) {
    for (const job of file.jobs) {
      const claimants = claims.get(job.key);
      if (claimants) claimants.push(job);
      else claims.set(job.key, [job]);
    }
  }
  return claims;
}

function other(job: DesiredJob, claimants: readonly DesiredJob[]): DesiredJob {
  return claimants.find((one) => one !== job) ?? job;
}

function brokenFiles(
  files: ReadonlyMap<FilePath, DesiredFile>,
  stalled: ReadonlyMap<JobKey, Problem>,
  claims: ReadonlyMap<JobKey, readonly DesiredJob[]>,
): Map<TargetName, FilePath[]> {
  const broken = new Map<TargetName, Set<FilePath>>();
  function add(target: TargetName, path: FilePath) {
    broken.set(target, (broken.get(target) ?? new Set()).add(path));
  }
  for (const [path, file] of files) if (file.problems.length > 0) add(file.target, path);
  for (const key of stalled.keys()) for (const job of claims.get(key) ?? []) add(job.target, job.file);
  return new Map([...broken].map(([target, paths]) => [target, [...paths]]));
}
