import { type Engine, inBackground } from "./engine.ts";
import { load } from "./loader.ts";
import { admit } from "./queue.ts";
import { endOverdueRun, launchQueued } from "./runs.ts";
import { fire } from "./schedule-job.ts";

const LONGEST_NAP_MS = 60_000;

/** Looks at whatever is due and sleeps until the next thing is, until `signal` aborts. */
export async function loop(engine: Engine, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", () => engine.wake(), { once: true });
  while (!signal.aborted) {
    for (const key of engine.agenda.takeDue(engine.clock.now())) attend(engine, key);
    const now = engine.clock.now();
    const next = engine.agenda.next() ?? Number.POSITIVE_INFINITY;
    const nap = new AbortController();
    engine.wake = () => nap.abort();
    engine.wakesAt = Math.min(next, now + LONGEST_NAP_MS);
    await engine.clock.sleep(engine.wakesAt - now, nap.signal);
  }
}

/** Keys read `<what>:<name or id>`. */
function attend(engine: Engine, key: string): void {
  const at = key.indexOf(":");
  const subject = key.slice(at + 1);
  if (key.startsWith("job:")) inBackground(engine, fire(engine, subject));
  if (key.startsWith("load:")) load(engine, subject);
  if (key.startsWith("limit:")) endOverdueRun(engine, subject);
  if (key.startsWith("queue:")) launchQueued(engine);
  if (key.startsWith("task:")) release(engine, subject);
}

/** A task that has waited for its time is queued. */
function release(engine: Engine, id: string): void {
  const task = engine.tasks.get(id);
  if (task === undefined || task.state !== "waiting") return;
  task.state = "queued";
  admit(engine, task);
}
