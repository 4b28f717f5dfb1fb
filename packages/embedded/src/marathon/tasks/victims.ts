import type { KillSelection } from "../model.ts";
import { type Instance, isHealthy, type TaskState } from "./instance.ts";

const FIRST: TaskState[] = ["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING"];

/** Which instances go when an app shrinks: those not yet running first, ties by the app's kill selection. */
export function victims(instances: readonly Instance[], count: number, selection: KillSelection): Instance[] {
  const older = selection === "OLDEST_FIRST" ? 1 : -1;
  return [...instances]
    .sort((a, b) => FIRST.indexOf(a.state) - FIRST.indexOf(b.state) || older * (a.stagedAt - b.stagedAt))
    .slice(0, Math.max(0, count));
}

/** Which old instances go in a rolling restart: the unhealthy first, then the eldest. */
export function oldVictims(instances: readonly Instance[], count: number): Instance[] {
  return [...instances]
    .sort((a, b) => Number(isHealthy(a)) - Number(isHealthy(b)) || a.stagedAt - b.stagedAt)
    .slice(0, Math.max(0, count));
}
