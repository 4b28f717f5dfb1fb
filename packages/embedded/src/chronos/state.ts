import type { Engine } from "./engine.ts";

/** `idle`, `queued` or `N running`: what the source calls the state of a job. */
export function jobState(engine: Engine, name: string): string {
  let queued = false;
  let running = 0;
  for (const task of engine.tasksOf.get(name) ?? []) {
    if (task.state === "running") running++;
    if (task.state === "queued") queued = true;
  }
  if (running > 0) return `${running} running`;
  return queued ? "queued" : "idle";
}
