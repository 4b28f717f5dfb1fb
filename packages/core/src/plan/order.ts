import type { JobKey } from "../model/ids.ts";
import type { DesiredJob } from "../model/job.ts";

type Jobs = ReadonlyMap<JobKey, DesiredJob>;

/**
 * Every set of jobs that depend on each other, directly or through others of the set; a job on itself included. A job is in
 * at most one set, and a set that is one plain circle is listed in the order that walks it.
 */
export function dependencyCycles(jobs: Jobs): readonly (readonly JobKey[])[] {
  const search: Search = { jobs, visits: new Map(), open: [], found: [] };
  for (const start of jobs.keys()) if (!search.visits.has(start)) walk(search, start);
  return search.found;
}

/** One circle of such a set, without its first job again at the end. */
export function circleIn(jobs: Jobs, set: readonly JobKey[]): readonly JobKey[] {
  const members = new Set(set);
  const walked = new Set<JobKey>();
  let at = set[0];
  while (at !== undefined && !walked.has(at)) {
    walked.add(at);
    at = jobs.get(at)?.options.dependsOn.find((key) => members.has(key));
  }
  const path = [...walked];
  return at === undefined ? path : path.slice(path.indexOf(at));
}

interface Visit {
  readonly key: JobKey;
  readonly dependencies: readonly JobKey[];
  /** Which of the dependencies is looked at next. */
  at: number;
  /** Where the job stands in `open`; -1 once its set is known. */
  place: number;
  /** The lowest place in `open` that can be reached from here. */
  low: number;
}

interface Search {
  readonly jobs: Jobs;
  readonly visits: Map<JobKey, Visit>;
  readonly open: Visit[];
  readonly found: JobKey[][];
}

/** Tarjan's strongly connected components, without recursion, since a chain may be as long as the repository has jobs. */
function walk(search: Search, start: JobKey): void {
  const path = [visit(search, start)];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const next = top.dependencies[top.at++];
    if (next === undefined) {
      path.pop();
      const parent = path.at(-1);
      if (parent) parent.low = Math.min(parent.low, top.low);
      if (top.low === top.place) close(search, top);
      continue;
    }
    const seen = search.visits.get(next);
    if (seen && seen.place >= 0) top.low = Math.min(top.low, seen.place);
    else if (!seen && search.jobs.has(next)) path.push(visit(search, next));
  }
}

function visit({ jobs, visits, open }: Search, key: JobKey): Visit {
  const dependencies = jobs.get(key)?.options.dependsOn ?? [];
  const made: Visit = { key, dependencies, at: 0, place: open.length, low: open.length };
  visits.set(key, made);
  open.push(made);
  return made;
}

function close({ open, found }: Search, first: Visit): void {
  const set = open.splice(first.place);
  for (const one of set) one.place = -1;
  if (set.length > 1 || first.dependencies.includes(first.key)) found.push(set.map((one) => one.key));
}
