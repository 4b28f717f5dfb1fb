import type {
  Desired,
  DesiredFile,
  DesiredJob,
  FilePath,
  JobKey,
  ObjectId,
  Problem,
  RevisionMarker,
} from "@sluice/core";
import type { Policy } from "../policy/policy.ts";
import { resolveUnder } from "./resolve.ts";

/**
 * A revision that was read whole, and what it wants. It is moved from revision to revision in place, so that a change costs
 * what the change costs and not what the repository does; between two steps of a pass it is never in between.
 */
export interface Tree {
  marker: RevisionMarker;
  /** Every file of the revision, so that the digest can be moved along with a change. */
  readonly oids: Map<FilePath, ObjectId>;
  /** The files that are jobs, parsed. */
  readonly files: Map<FilePath, DesiredFile>;
  readonly policy: Policy;
  /** Problems of `deploy.yaml`; `policy` is then the last good one. */
  readonly policyProblems: readonly Problem[];
  desired: Desired;
  /** The very map that `desired.jobs` is. */
  jobs: Map<JobKey, DesiredJob>;
  /** How many jobs name a job in their `dependsOn`. */
  named: Map<JobKey, number>;
}

/** What differs in a newer revision. */
export interface Patch {
  readonly marker: RevisionMarker;
  /** Undefined: the file is gone. */
  readonly oids: ReadonlyMap<FilePath, ObjectId | undefined>;
  /** Undefined: the file is gone, or is no job file. */
  readonly files: ReadonlyMap<FilePath, DesiredFile | undefined>;
}

export function newTree(read: Pick<Tree, "marker" | "oids" | "files" | "policy" | "policyProblems">): Tree {
  return { ...read, ...resolved(read) };
}

/** Moves the tree to the patch's revision. @returns the jobs the change concerns. */
export function applyPatch(tree: Tree, patch: Patch): Set<JobKey> {
  const before = new Map([...patch.files.keys()].map((path) => [path, tree.files.get(path)]));
  const simple = isSimple(tree, before, patch.files);
  tree.marker = patch.marker;
  for (const [path, oid] of patch.oids) setOrDelete(tree.oids, path, oid);
  for (const [path, file] of patch.files) setOrDelete(tree.files, path, file);
  const changed = new Set<JobKey>();
  for (const file of [...before.values(), ...patch.files.values()])
    for (const job of file?.jobs ?? []) changed.add(job.key);
  if (simple) replaceJobs(tree, jobsOf(before.values()), jobsOf(patch.files.values()));
  else {
    const old = tree.desired;
    Object.assign(tree, resolved(tree));
    for (const key of [...old.stalled.keys(), ...tree.desired.stalled.keys()])
      if (old.stalled.has(key) !== tree.desired.stalled.has(key)) changed.add(key);
  }
  return changed;
}

function resolved({ policy, files, policyProblems }: Pick<Tree, "policy" | "files" | "policyProblems">) {
  const found = resolveUnder(policy, files, policyProblems);
  const jobs = new Map(found.jobs);
  const named = new Map<JobKey, number>();
  for (const job of jobs.values()) count(named, job, 1);
  return { desired: { ...found, jobs }, jobs, named };
}

/**
 * True where jobs can be replaced one by one with the same result as resolving all files anew: nothing has a problem before
 * or after, no job is claimed twice, no dependency gets or loses its end, and no new circle can close.
 */
function isSimple(
  tree: Tree,
  before: ReadonlyMap<FilePath, DesiredFile | undefined>,
  after: Patch["files"],
): boolean {
  if (tree.desired.problems.length > 0) return false;
  for (const file of after.values()) if (file && file.problems.length > 0) return false;
  const old = new Map(jobsOf(before.values()).map((job) => [job.key, job]));
  const now = jobsOf(after.values());
  const keys = new Set(now.map((job) => job.key));
  if (keys.size < now.length) return false;
  for (const key of old.keys()) if (!keys.has(key) && tree.named.has(key)) return false;
  const moving = new Set([...keys, ...old.keys()]);
  return now.every((job) => fitsIn(job, old.get(job.key), tree, moving));
}

/** @param moving the jobs that come, go or change with this patch: a new job that depends on one of them is not simple. */
function fitsIn(
  job: DesiredJob,
  old: DesiredJob | undefined,
  tree: Tree,
  moving: ReadonlySet<JobKey>,
): boolean {
  const { dependsOn } = job.options;
  if (old) return old.options.dependsOn.join("\n") === dependsOn.join("\n");
  if (tree.jobs.has(job.key)) return false;
  if (dependsOn.length === 0) return true;
  const ordered = [...tree.policy.values()].some((policy) => policy.dependsOn.length > 0);
  return !ordered && dependsOn.every((key) => tree.jobs.has(key) && !moving.has(key));
}

function replaceJobs(tree: Tree, before: readonly DesiredJob[], after: readonly DesiredJob[]): void {
  for (const job of before) {
    tree.jobs.delete(job.key);
    count(tree.named, job, -1);
  }
  for (const job of after) {
    tree.jobs.set(job.key, job);
    count(tree.named, job, 1);
  }
}

function count(named: Map<JobKey, number>, job: DesiredJob, by: 1 | -1): void {
  for (const key of job.options.dependsOn) {
    const times = (named.get(key) ?? 0) + by;
    setOrDelete(named, key, times === 0 ? undefined : times);
  }
}

function jobsOf(files: Iterable<DesiredFile | undefined>): DesiredJob[] {
  return [...files].flatMap((file) => file?.jobs ?? []);
}

function setOrDelete<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
