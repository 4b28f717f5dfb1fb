import type { Health } from "../health/health.ts";
import type { App } from "../model.ts";

export type TaskState =
  | "TASK_STAGING"
  | "TASK_STARTING"
  | "TASK_RUNNING"
  | "TASK_KILLING"
  | "TASK_FINISHED"
  | "TASK_FAILED"
  | "TASK_KILLED";

/** The answer of a readiness check, as the API shows it. */
export interface ReadinessResult {
  name: string;
  taskId: string;
  ready: boolean;
  lastResponse?: { status: number; contentType: string; body: string };
}

/** One instance of an app from its launch to its end. */
export interface Instance {
  id: string;
  taskId: string;
  incarnation: number;
  /** The app as it was when the instance was launched. */
  app: App;
  state: TaskState;
  /** Decommissioned: it shall end and is not counted any more. */
  goal: "Running" | "Decommissioned";
  /** Milliseconds since the epoch. */
  stagedAt: number;
  startedAt?: number;
  /** Host ports, in the order of the port definitions or mappings that take one. */
  ports: number[];
  /** By index of `app.healthChecks`; a check without a result yet has no entry. */
  health: Map<number, Health>;
  readiness?: ReadinessResult;
  /** Aborts when the instance is to end, which stops its probes. */
  ending: AbortController;
  task?: RunningTask;
  /** Settles when the instance is gone. */
  life: Promise<void>;
}

/** How a task ended of itself. */
export interface TaskEnd {
  state: "TASK_FINISHED" | "TASK_FAILED";
  message: string;
}

export interface RunningTask {
  exited: Promise<TaskEnd>;
  /** Ends the task, with force after the grace. */
  stop(graceMs: number): Promise<void>;
}

/** Where tasks run. */
export interface TaskBackend {
  /** A word for why this machine can never run the app, undefined when it can. */
  refusal(app: App): string | undefined;
  /** Sets the instance's `ports` and starts it. @throws with a sentence when that fails. */
  start(instance: Instance): Promise<RunningTask>;
}

/** Healthy when every check has passed last time, unhealthy when one has not, undefined while any has no result. */
export function healthOf(instance: Instance): boolean | undefined {
  const checks = instance.app.healthChecks?.length ?? 0;
  const results = [...instance.health.values()];
  if (checks === 0 || results.length === 0) return undefined;
  if (results.some((one) => !one.alive)) return false;
  return results.length === checks ? true : undefined;
}

/** Running and, where checks are defined, healthy. */
export function isHealthy(instance: Instance): boolean {
  return instance.state === "TASK_RUNNING" && (!instance.app.healthChecks || healthOf(instance) === true);
}

/** Healthy and, where readiness checks are defined, ready: what a deployment waits for. */
export function isReady(instance: Instance): boolean {
  return isHealthy(instance) && (!instance.app.readinessChecks || instance.readiness?.ready === true);
}

/** Whether an instance runs another configuration than the app has now; scaling does not count. */
export function isOutdated(instance: Instance, app: App): boolean {
  return instance.app.versionInfo.lastConfigChangeAt !== app.versionInfo.lastConfigChangeAt;
}
