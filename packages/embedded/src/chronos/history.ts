import { type Engine, inBackground } from "./engine.ts";
import type { Task, TaskStat } from "./task.ts";

/** Notes the start of a run. @returns the job's history, newest first. */
export function openStat(engine: Engine, task: Task): TaskStat[] {
  const stat: TaskStat = {
    taskId: task.id,
    attempt: task.attempt,
    startedAt: task.startedAt ?? engine.clock.now(),
    status: "Running",
  };
  const stats = [stat, ...(engine.history.get(task.job) ?? [])];
  for (const old of stats.splice(engine.settings.historyLimit))
    if (!engine.tasks.has(old.taskId)) inBackground(engine, engine.executor.forget(task.job, old.taskId));
  engine.history.set(task.job, stats);
  return stats;
}

/** Adds to what a run has done so far. @returns the job's history, newest first. */
export function addElements(engine: Engine, job: string, taskId: string, more: number): TaskStat[] {
  const stats = (engine.history.get(job) ?? []).map((stat) =>
    stat.taskId === taskId ? { ...stat, elements: (stat.elements ?? 0) + more } : stat,
  );
  engine.history.set(job, stats);
  return stats;
}

/** Notes the end of a run. @param message why it did not succeed. */
export function closeStat(
  engine: Engine,
  task: Task,
  status: "Success" | "Fail",
  message?: string,
): TaskStat[] {
  const stats = (engine.history.get(task.job) ?? []).map((stat) =>
    stat.taskId === task.id
      ? { ...stat, status, endedAt: engine.clock.now(), ...(message === undefined ? {} : { message }) }
      : stat,
  );
  engine.history.set(task.job, stats);
  return stats;
}
