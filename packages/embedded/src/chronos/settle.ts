import { type ActiveRun, type Engine, plan, removeTask, replace } from "./engine.ts";
import { closeStat } from "./history.ts";
import type { Job } from "./job.ts";
import { afterFailure, afterSuccess, isRetried } from "./outcome.ts";
import { newTask, submit } from "./queue.ts";
import { planJob } from "./schedule-job.ts";
import type { Task } from "./task.ts";

type Outcome = NonNullable<ActiveRun["ended"]>;

/** Draws the consequences of an ended run: counters, retry, dependents; one step on disk. */
export async function settle(engine: Engine, task: Task, outcome: Outcome): Promise<void> {
  removeTask(engine, task);
  plan(engine, "queue:", engine.clock.now());
  report(engine, task, outcome);
  const job = engine.graph.get(task.job);
  if (job === undefined) return engine.store.commit({ removedTasks: [task.id] });
  const { changed, tasks } = consequences(engine, job, task, outcome);
  if (changed !== undefined) replace(engine, changed);
  planJob(engine, job.name);
  const message =
    outcome.state === "failed" ? outcome.message : outcome.state === "killed" ? "killed" : undefined;
  const stats = closeStat(engine, task, outcome.state === "finished" ? "Success" : "Fail", message);
  await submit(engine, tasks, {
    jobs: changed === undefined ? [] : [changed],
    removedTasks: [task.id],
    history: [{ job: job.name, stats }],
    counts: countsOfChildren(engine, job.name),
  });
}

/** Marks a job as successful without a run and fires its dependents. @returns false for an unknown job. */
export async function markSuccess(engine: Engine, name: string): Promise<boolean> {
  const job = engine.graph.get(name);
  if (job === undefined) return false;
  const changed = { ...afterSuccess(job, engine.clock.now()), disabled: job.disabled };
  replace(engine, changed);
  engine.graph.resetCounts(name);
  const tasks = dependents(engine, name);
  const counts = [{ job: name, runs: {} }, ...countsOfChildren(engine, name)];
  await submit(engine, tasks, { jobs: [changed], counts });
  return true;
}

function consequences(
  engine: Engine,
  job: Job,
  task: Task,
  outcome: Outcome,
): { changed?: Job; tasks: Task[] } {
  const now = engine.clock.now();
  if (outcome.state === "killed") return { tasks: [] };
  if (outcome.state === "finished")
    return { changed: afterSuccess(job, now), tasks: dependents(engine, job.name) };
  if (isRetried(job, task.attempt)) {
    const retry = { due: now + engine.settings.failureRetryMs, attempt: task.attempt + 1 };
    return { tasks: [newTask(engine, job, { ...retry, arguments: task.arguments })] };
  }
  return {
    changed: afterFailure(job, now, engine.settings),
    tasks: job.softError ? dependents(engine, job.name) : [],
  };
}

function dependents(engine: Engine, name: string): Task[] {
  return engine.graph.readyChildren(name).flatMap((child) => {
    const job = engine.graph.get(child);
    return job === undefined || job.disabled ? [] : [newTask(engine, job, { due: engine.clock.now() })];
  });
}

function countsOfChildren(engine: Engine, name: string) {
  return engine.graph
    .children(name)
    .map((child) => ({ job: child, runs: engine.graph.counts(child) }))
    .filter(({ runs }) => Object.keys(runs).length > 0);
}

function report(engine: Engine, task: Task, outcome: Outcome): void {
  const about = { job: task.job, task: task.id };
  if (outcome.state === "failed") engine.log({ type: "run-failed", ...about, reason: outcome.message });
  else engine.log({ type: outcome.state === "finished" ? "run-finished" : "run-killed", ...about });
}
