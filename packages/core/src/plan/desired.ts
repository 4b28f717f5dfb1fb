import { type JobKey, splitJobKey, type TargetName } from "../model/ids.ts";
import type { DesiredJob, Problem } from "../model/job.ts";
import { displayPath, type FilePath } from "../model/path.ts";
import { circleIn, dependencyCycles } from "./order.ts";

/** What one file of the revision says, parsed once and kept while its content stays. */
export interface DesiredFile {
  readonly target: TargetName;
  readonly jobs: readonly DesiredJob[];
  readonly problems: readonly Problem[];
}

/** What a whole revision wants. */
export interface Desired {
  /**
   * Only jobs that can be applied: those a problem concerns are left out. A job that depends on one of those stays, and names
   * in `dependsOn` a job that is not here.
   */
  readonly jobs: ReadonlyMap<JobKey, DesiredJob>;
  readonly problems: readonly Problem[];
  /** The jobs a problem concerns, as far as their ids can be known. */
  readonly stalled: ReadonlyMap<JobKey, Problem>;
  /** Per target the files that have a problem: what they might hold is unknown, so it is not gone. */
  readonly broken: ReadonlyMap<TargetName, readonly FilePath[]>;
}

type Claims = ReadonlyMap<JobKey, readonly DesiredJob[]>;
type Finding = readonly [job: DesiredJob, problem: Pick<Problem, "reason" | "message" | "key">];

/** Brings the files of a revision together: finds jobs claimed twice, circles, and dependencies on jobs that are not there. */
export function resolveDesired(files: ReadonlyMap<FilePath, DesiredFile>): Desired {
  const claims = claimsOf(files);
  const jobs = new Map<JobKey, DesiredJob>();
  for (const [key, [first, second]] of claims) if (first && !second) jobs.set(key, first);
  const problems = [...files.values()].flatMap((file) => file.problems);
  const stalled = new Map<JobKey, Problem>();
  for (const [job, found] of [
    ...duplicates(claims),
    ...strangers(jobs, claims, unreadableTargets(files)),
    ...circles(jobs),
  ]) {
    const problem: Problem = { file: job.file, line: job.line, ...found };
    problems.push(problem);
    if (!stalled.has(job.key)) stalled.set(job.key, problem);
  }
  for (const key of stalled.keys()) jobs.delete(key);
  return { jobs, problems, stalled, broken: brokenFiles(files, stalled, claims) };
}

function claimsOf(files: ReadonlyMap<FilePath, DesiredFile>): Claims {
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

function* duplicates(claims: Claims): Iterable<Finding> {
  for (const [key, claimants] of claims) {
    if (claimants.length < 2) continue;
    for (const job of claimants) {
      const other = claimants.find((one) => one !== job) ?? job;
      const message = `the job ${key} is also in ${displayPath(other.file)}, line ${other.line}`;
      yield [job, { reason: "Duplicate", message }];
    }
  }
}

function unreadableTargets(files: ReadonlyMap<FilePath, DesiredFile>): ReadonlySet<TargetName> {
  const targets = new Set<TargetName>();
  for (const file of files.values()) if (file.problems.length > 0) targets.add(file.target);
  return targets;
}

function* strangers(
  jobs: ReadonlyMap<JobKey, DesiredJob>,
  claims: Claims,
  unreadable: ReadonlySet<TargetName>,
): Iterable<Finding> {
  for (const job of jobs.values()) {
    // What an unreadable file holds is unknown: a job that may be in it is not ready, rather than not there.
    const unknown = job.options.dependsOn.find(
      (key) => !claims.has(key) && !unreadable.has(splitJobKey(key).target),
    );
    if (unknown === undefined) continue;
    const message = `it depends on ${unknown}, which no readable file of this revision holds`;
    yield [job, { reason: "InvalidSpec", message, key: "sluice.dependsOn" }];
  }
}

/** Every job of a circle gets the same sentence, so it must stay short however long the circle is. */
const NAMED_JOBS = 8;

function* circles(jobs: ReadonlyMap<JobKey, DesiredJob>): Iterable<Finding> {
  for (const set of dependencyCycles(jobs)) {
    const circle = circleIn(jobs, set);
    const named = circle.slice(0, NAMED_JOBS);
    const left = circle.length - named.length;
    const steps = [...named, ...(left > 0 ? [`${left} more`] : []), circle[0]].join(" → ");
    const beside = set.length - circle.length;
    const message = `these jobs depend on each other: ${steps}${beside > 0 ? `, and ${beside} more with them` : ""}`;
    for (const key of set) {
      const job = jobs.get(key);
      if (job) yield [job, { reason: "DependencyCycle", message, key: "sluice.dependsOn" }];
    }
  }
}

function brokenFiles(
  files: ReadonlyMap<FilePath, DesiredFile>,
  stalled: ReadonlyMap<JobKey, Problem>,
  claims: Claims,
): Map<TargetName, FilePath[]> {
  const broken = new Map<TargetName, Set<FilePath>>();
  function add(target: TargetName, path: FilePath) {
    const paths = broken.get(target);
    if (paths) paths.add(path);
    else broken.set(target, new Set([path]));
  }
  for (const [path, file] of files) if (file.problems.length > 0) add(file.target, path);
  for (const key of stalled.keys()) for (const job of claims.get(key) ?? []) add(job.target, job.file);
  return new Map([...broken].map(([target, paths]) => [target, [...paths]]));
}
