import { addTask, type Engine, plan, removeTask } from "./engine.ts";
import type { Job } from "./job.ts";
import type { Changes } from "./store.ts";
import { type Task, taskId } from "./task.ts";

interface TaskWish {
  /** Milliseconds since the epoch; a time to come makes the task wait. */
  due: number;
  attempt?: number;
  arguments?: string;
  consumes?: boolean;
}

/** A task that does not stand in any queue yet. Its id is its own: a due time already taken moves on by a millisecond. */
export function newTask(engine: Engine, job: Job, wish: TaskWish): Task {
  const task: Task = {
    id: "",
    job: job.name,
    due: wish.due,
    attempt: wish.attempt ?? 0,
    arguments: wish.arguments ?? "",
    highPriority: job.highPriority,
    consumes: wish.consumes ?? false,
    state: wish.due > engine.clock.now() ? "waiting" : "queued",
  };
  const shown = job.arguments.join(" ");
  do {
    task.id = taskId({ ...task, arguments: task.arguments || shown });
  } while (isTaken(engine, task) && task.due++ >= 0);
  addTask(engine, task);
  return task;
}

/** Writes tasks down, with the changes that go with them, then lets them run or wait. @throws when the disk refuses them; they are then dropped. */
export async function submit(engine: Engine, tasks: readonly Task[], changes: Changes): Promise<void> {
  try {
    await engine.store.commit({ ...changes, tasks: tasks.map((task) => ({ ...task })) });
  } catch (error) {
    dropTasks(engine, tasks);
    throw error;
  }
  for (const task of tasks) admit(engine, task);
}

/** Puts a task that is on disk where it belongs: on the agenda or into a queue. */
export function admit(engine: Engine, task: Task): void {
  if (engine.tasks.get(task.id) !== task) return;
  if (task.state === "waiting") {
    plan(engine, `task:${task.id}`, task.due);
    return;
  }
  (task.highPriority ? engine.queues.high : engine.queues.normal).push(task);
  plan(engine, "queue:", engine.clock.now());
}

/** Empties the queues, on disk as well. */
export async function purge(engine: Engine): Promise<void> {
  const queued = [...engine.tasks.values()].filter((task) => task.state !== "running");
  dropTasks(engine, queued);
  await engine.store.commit({ removedTasks: queued.map((task) => task.id) });
}

/** Takes tasks out of memory and out of the queues. */
export function dropTasks(engine: Engine, tasks: readonly Task[]): void {
  for (const task of tasks) removeTask(engine, task);
  const { high, normal } = engine.queues;
  engine.queues = {
    high: high.filter((task) => !tasks.includes(task)),
    normal: normal.filter((task) => !tasks.includes(task)),
  };
}

function isTaken(engine: Engine, task: Task): boolean {
  return (
    engine.tasks.has(task.id) || (engine.history.get(task.job) ?? []).some((stat) => stat.taskId === task.id)
  );
}
