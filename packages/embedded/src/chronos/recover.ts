import { addTask, type Engine, inBackground } from "./engine.ts";
import { load } from "./loader.ts";
import { admit, dropTasks } from "./queue.ts";
import { settle } from "./settle.ts";

/**
 * Takes up what an earlier engine left on disk: jobs, history, queued tasks. A task that was running is lost with
 * that engine, which Mesos would report as a failure; it is retried like any other.
 */
export function recover(engine: Engine): void {
  const { jobs, tasks, history, counts } = engine.store.read();
  for (const job of jobs) engine.stored.set(job.name, job);
  for (const [name, stats] of history) engine.history.set(name, stats);
  for (const task of tasks) addTask(engine, task);
  for (const job of jobs) load(engine, job.name);
  for (const [name, runs] of counts)
    if (engine.graph.get(name) !== undefined) engine.graph.restoreCounts(name, runs);
  const homeless = tasks.filter((task) => engine.graph.get(task.job) === undefined);
  dropTasks(engine, homeless);
  inBackground(engine, engine.store.commit({ removedTasks: homeless.map((task) => task.id) }));
  for (const task of tasks) {
    if (task.state === "running")
      inBackground(
        engine,
        settle(engine, task, { state: "failed", message: "Lost: the engine stopped during the run" }),
      );
    else admit(engine, task);
  }
}
