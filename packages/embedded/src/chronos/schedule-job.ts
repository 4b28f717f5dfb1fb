import { type Engine, plan, replace } from "./engine.ts";
import { isDependent, type Job, type ScheduledJob } from "./job.ts";
import { newTask, submit } from "./queue.ts";
import {
  afterLaunch,
  dueAt,
  formatSchedule,
  oneFurther,
  parseSchedule,
  periodMs,
  type Schedule,
  skipLate,
} from "./schedule.ts";

const FIVE_MINUTES = 300_000;
/** How long a step waits after the disk has refused it. */
export const DISK_PAUSE_MS = 10_000;

/** Notes when a job is next due. To be called whenever its schedule, its `disabled` or its runs change. */
export function planJob(engine: Engine, name: string): void {
  const job = engine.graph.get(name);
  const schedule = job === undefined ? undefined : nextRun(engine, job);
  plan(engine, `job:${name}`, schedule === undefined ? undefined : dueAt(schedule));
}

/** Queues a run of a job whose time has come and rewrites its schedule, in one step on disk. */
export async function fire(engine: Engine, name: string): Promise<void> {
  const job = engine.graph.get(name);
  const schedule = job === undefined ? undefined : nextRun(engine, job);
  if (job === undefined || isDependent(job) || schedule === undefined) return;
  const now = engine.clock.now();
  if ((dueAt(schedule) ?? Number.POSITIVE_INFINITY) > now) {
    planJob(engine, name);
    return;
  }
  const next = engine.profile.collapsesMissedRuns ? afterLaunch(schedule, now) : oneFurther(schedule);
  const rewritten = { ...job, schedule: formatSchedule(next) };
  replace(engine, rewritten);
  const task = newTask(engine, rewritten, { due: now });
  planJob(engine, name);
  try {
    await submit(engine, [task], { jobs: [rewritten] });
  } catch (error) {
    // Not written down, not run: the job stays due, and is looked at again when the disk may have recovered.
    if (engine.graph.get(name) === rewritten) replace(engine, job);
    plan(engine, `job:${name}`, now + DISK_PAUSE_MS);
    throw error;
  }
}

/** The job with its schedule moved on by a run started by hand. */
export function consumed(engine: Engine, job: ScheduledJob): ScheduledJob {
  const now = engine.clock.now();
  const schedule = parseSchedule(job.schedule, job.scheduleTimeZone, now);
  return schedule === undefined ? job : { ...job, schedule: formatSchedule(afterLaunch(schedule, now)) };
}

/**
 * The schedule whose start is the next run. None while a job that is not `concurrent` runs: it is looked at again
 * when that run ends, and if its time has passed by then it runs at once.
 */
function nextRun(engine: Engine, job: Job): Schedule | undefined {
  if (isDependent(job) || job.disabled || (!job.concurrent && isBusy(engine, job.name))) return undefined;
  const now = engine.clock.now();
  const schedule = parseSchedule(job.schedule, job.scheduleTimeZone, now);
  if (schedule === undefined || engine.profile.collapsesMissedRuns) return schedule;
  return skipLate(schedule, now, periodMs(job.epsilon) ?? FIVE_MINUTES);
}

function isBusy(engine: Engine, job: string): boolean {
  for (const task of engine.tasksOf.get(job) ?? []) if (task.state !== "waiting") return true;
  return false;
}
