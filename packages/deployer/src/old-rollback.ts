import { jobKey, type LiveJob, type Scheduler, type TargetName } from "@sluice/core";
import { known, type Term } from "./term.ts";

/**
 * A scheduler that lists jobs without the rollbacks that do not matter any more: where Git wants the very spec that was put back.
 * Some schedulers go on telling of them until the next write, and then there is nothing to write.
 */
export function withoutOldRollbacks(
  scheduler: Scheduler,
  target: TargetName,
  term: Term,
): Pick<Scheduler, "list"> {
  const { format } = known(term.options.targets.get(target), `target ${target}`);
  function seen(live: LiveJob): LiveJob {
    if (!live.observed.rolledBack) return live;
    const job = term.tree?.desired.jobs.get(jobKey(target, live.id));
    if (!job || format.compare(job.spec, live.spec, job.options.ignore).length > 0) return live;
    const { health, message } = live.observed;
    return { ...live, observed: { health, message } };
  }
  return { list: async (query, signal) => (await scheduler.list(query, signal)).map(seen) };
}
