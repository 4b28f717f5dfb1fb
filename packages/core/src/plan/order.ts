import type { JobKey } from "../model/ids.ts";
import type { DesiredJob } from "../model/job.ts";

/** Every set of jobs that depend on each other in a circle, each in an order that walks the circle; a job on itself included. */
export function dependencyCycles(jobs: ReadonlyMap<JobKey, DesiredJob>): readonly (readonly JobKey[])[] {
  const cycles: JobKey[][] = [];
  const done = new Set<JobKey>();
  for (const start of jobs.keys()) {
    if (!done.has(start) && dependenciesOf(jobs, start).length > 0) walk(jobs, start, done, cycles);
  }
  return cycles;
}

interface Frame {
  readonly key: JobKey;
  readonly rest: JobKey[];
}

/** Depth first without recursion, since a chain may be as long as the repository has jobs. */
function walk(
  jobs: ReadonlyMap<JobKey, DesiredJob>,
  start: JobKey,
  done: Set<JobKey>,
  cycles: JobKey[][],
): void {
  const path: Frame[] = [{ key: start, rest: dependenciesOf(jobs, start) }];
  const onPath = new Set<JobKey>([start]);
  for (let frame = path.at(-1); frame; frame = path.at(-1)) {
    const next = frame.rest.pop();
    if (next === undefined) {
      path.pop();
      onPath.delete(frame.key);
      done.add(frame.key);
    } else if (onPath.has(next)) {
      cycles.push(path.slice(path.findIndex((one) => one.key === next)).map((one) => one.key));
    } else if (!done.has(next) && jobs.has(next)) {
      path.push({ key: next, rest: dependenciesOf(jobs, next) });
      onPath.add(next);
    }
  }
}

function dependenciesOf(jobs: ReadonlyMap<JobKey, DesiredJob>, key: JobKey): JobKey[] {
  return [...(jobs.get(key)?.options.dependsOn ?? [])];
}
