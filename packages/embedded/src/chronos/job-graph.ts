import { isDependent, type Job } from "./job.ts";

/** The jobs the scheduler knows, with their dependencies: what GET shows. */
export interface JobGraph {
  get(name: string): Job | undefined;
  /** In order of arrival. */
  all(): Job[];
  /** Adds or replaces a job and its edges; every parent must be known. */
  put(job: Job): void;
  remove(name: string): void;
  children(name: string): string[];
  /** Counts a run of `name` for its children and tells which of them are ready: those all of whose parents ran as often. */
  readyChildren(name: string): string[];
  /** Runs of each parent since the child last started. Empty for a child with fewer than two parents. */
  counts(child: string): Record<string, number>;
  restoreCounts(child: string, counts: Record<string, number>): void;
  resetCounts(child: string): void;
}

export function jobGraph(): JobGraph {
  const jobs = new Map<string, Job>();
  const children = new Map<string, Set<string>>();
  const counts = new Map<string, Map<string, number>>();

  function unlink(job: Job): void {
    for (const parent of parentsOf(job)) children.get(parent)?.delete(job.name);
  }

  return {
    get: (name) => jobs.get(name),
    all: () => [...jobs.values()],
    put(job) {
      const old = jobs.get(job.name);
      jobs.set(job.name, job);
      if (old !== undefined && sameParents(old, job)) return;
      if (old !== undefined) unlink(old);
      counts.delete(job.name);
      for (const parent of parentsOf(job)) addTo(children, parent, job.name);
    },
    remove(name) {
      const job = jobs.get(name);
      if (job !== undefined) unlink(job);
      jobs.delete(name);
      children.delete(name);
      counts.delete(name);
    },
    children: (name) => [...(children.get(name) ?? [])],
    readyChildren: (name) =>
      [...(children.get(name) ?? [])].filter((child) => {
        const parents = parentsOf(jobs.get(child));
        if (parents.length < 2) return true;
        const runs = counts.get(child) ?? new Map<string, number>();
        counts.set(child, runs.set(name, (runs.get(name) ?? 0) + 1));
        return runs.get(name) === Math.min(...parents.map((parent) => runs.get(parent) ?? 0));
      }),
    counts: (child) => Object.fromEntries(counts.get(child) ?? []),
    restoreCounts: (child, runs) => void counts.set(child, new Map(Object.entries(runs))),
    resetCounts: (child) => void counts.delete(child),
  };
}

/**
 * Whether storing `job` closes a circle among the jobs found by `find`, itself included.
 */
export function closesCycle(job: Job, find: (name: string) => Job | undefined): boolean {
  const seen = new Set<string>();
  const todo = [...parentsOf(job)];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === job.name) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    todo.push(...parentsOf(find(name)));
  }
  return false;
}

export function parentsOf(job: Job | undefined): readonly string[] {
  return job !== undefined && isDependent(job) ? job.parents : [];
}

function sameParents(a: Job, b: Job): boolean {
  const [left, right] = [parentsOf(a), parentsOf(b)];
  return left.length === right.length && left.every((name) => right.includes(name));
}

/** Adds to the set under a key, making it when there is none. */
export function addTo<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key) ?? new Set<V>();
  sets.set(key, set.add(value));
}
