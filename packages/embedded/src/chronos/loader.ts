import { type Engine, replace } from "./engine.ts";
import { addTo, parentsOf } from "./job-graph.ts";
import { planJob } from "./schedule-job.ts";

/**
 * Brings a stored job into the graph. A dependent one that lacks a parent stays out, invisible to every read, until
 * its parents are there; it then follows the last of them.
 */
export function load(engine: Engine, name: string): void {
  const todo = [name];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const job = engine.stored.get(next);
    if (job === undefined || engine.graph.get(next) === job) continue;
    const missing = parentsOf(job).filter((parent) => engine.graph.get(parent) === undefined);
    for (const parent of missing) addTo(engine.waiting, parent, next);
    if (missing.length > 0) continue;
    replace(engine, job);
    planJob(engine, next);
    todo.push(...(engine.waiting.get(next) ?? []));
    engine.waiting.delete(next);
  }
}
