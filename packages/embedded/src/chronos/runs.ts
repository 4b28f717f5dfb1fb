import {
  type ActiveRun,
  type DropReason,
  type Engine,
  inBackground,
  plan,
  removeTask,
  replace,
} from "./engine.ts";
import type { RunOutcome } from "./executor.ts";
import { openStat } from "./history.ts";
import { isDependent, type Job } from "./job.ts";
import { consumed, DISK_PAUSE_MS, planJob } from "./schedule-job.ts";
import { settle } from "./settle.ts";
import type { Task } from "./task.ts";

/** Starts queued tasks, those of high priority first, while there is room. */
export function launchQueued(engine: Engine): void {
  const { high, normal } = engine.queues;
  while (!engine.stopping && engine.runs.size < engine.settings.maxRunning) {
    const task = high.shift() ?? normal.shift();
    if (task === undefined) return;
    if (engine.tasks.get(task.id) !== task) continue;
    inBackground(engine, launch(engine, task));
  }
}

/** Ends the runs of a job, for good: a killed run counts neither as a success nor as a failure. */
export function killRuns(engine: Engine, job: string): void {
  for (const task of engine.tasksOf.get(job) ?? []) endRun(engine, task.id, { state: "killed" });
}

/** Ends a run that takes longer than its job's `maxCompletionTime`; Mesos reports that as a failure. */
export function endOverdueRun(engine: Engine, id: string): void {
  const limit = engine.graph.get(engine.tasks.get(id)?.job ?? "")?.maxCompletionTime;
  endRun(engine, id, {
    state: "failed",
    message: `Task exceeded its maximum completion time of ${limit} ms`,
  });
}

function endRun(engine: Engine, id: string, ended: NonNullable<ActiveRun["ended"]>): void {
  const active = engine.runs.get(id);
  if (active === undefined || active.ended !== undefined) return;
  active.ended = ended;
  active.settled?.();
  if (active.run !== undefined) inBackground(engine, active.run.kill());
}

async function launch(engine: Engine, task: Task): Promise<void> {
  const job = engine.graph.get(task.job);
  if (job === undefined) return drop(engine, task, "deleted");
  const reason = whyDropped(engine, job);
  if (reason !== undefined) return drop(engine, task, reason);
  const active: ActiveRun = {};
  engine.runs.set(task.id, active);
  try {
    await writeStart(engine, task, job);
  } catch (error) {
    engine.runs.delete(task.id);
    task.state = "waiting";
    plan(engine, `task:${task.id}`, engine.clock.now() + DISK_PAUSE_MS);
    throw error;
  }
  const outcome = await perform(engine, task, job, active);
  // A stopped engine leaves the task on disk as running, and the next one finds it lost.
  if (!engine.stopping) await settle(engine, task, active.ended ?? outcome);
}

function whyDropped(engine: Engine, job: Job): DropReason | undefined {
  if (job.disabled) return "disabled";
  if (job.concurrent) return undefined;
  for (const other of engine.tasksOf.get(job.name) ?? [])
    if (other.state === "running") return "already-running";
  return undefined;
}

async function drop(engine: Engine, task: Task, reason: DropReason): Promise<void> {
  removeTask(engine, task);
  engine.log({ type: "run-dropped", job: task.job, task: task.id, reason });
  planJob(engine, task.job);
  await engine.store.commit({ removedTasks: [task.id] });
}

/** On disk before the process starts: after a crash it is known that it may have run. */
async function writeStart(engine: Engine, task: Task, job: Job): Promise<void> {
  task.state = "running";
  task.startedAt = engine.clock.now();
  engine.graph.resetCounts(job.name);
  const rewritten = task.consumes && !isDependent(job) ? consumed(engine, job) : undefined;
  if (rewritten !== undefined) replace(engine, rewritten);
  planJob(engine, job.name);
  const stats = openStat(engine, task);
  await engine.store.commit({
    ...(rewritten === undefined ? {} : { jobs: [rewritten] }),
    tasks: [{ ...task }],
    history: [{ job: job.name, stats }],
    counts: isDependent(job) ? [{ job: job.name, runs: {} }] : [],
  });
}

async function perform(engine: Engine, task: Task, job: Job, active: ActiveRun): Promise<RunOutcome> {
  if (active.ended !== undefined || engine.stopping)
    return { state: "failed", message: "killed before it started" };
  engine.log({ type: "run-started", job: job.name, task: task.id });
  active.run = engine.executor.start({ task: { ...task }, job });
  if (job.maxCompletionTime > 0) plan(engine, `limit:${task.id}`, engine.clock.now() + job.maxCompletionTime);
  const outcome = await active.run.done;
  const isOpen = job.async && engine.profile.asyncJobs && outcome.state === "finished";
  return isOpen && !engine.stopping ? reported(active) : outcome;
}

/** Waits until somebody says how the run of an `async` job ended. */
async function reported(active: ActiveRun): Promise<RunOutcome> {
  if (active.reported === undefined && active.ended === undefined)
    await new Promise<void>((resolve) => {
      active.settled = resolve;
    });
  return active.reported ?? { state: "failed", message: "nobody said how it ended" };
}

/** Takes down how the run of an `async` job ended. A run that is over already, or not begun, is left alone. */
export function reportRun(engine: Engine, id: string, statusCode: number): void {
  const active = engine.runs.get(id);
  if (active === undefined || active.reported !== undefined) return;
  active.reported =
    statusCode === 0 ? { state: "finished" } : { state: "failed", message: `Reported status ${statusCode}` };
  active.settled?.();
}
