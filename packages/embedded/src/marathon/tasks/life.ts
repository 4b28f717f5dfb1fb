import { instanceIdOf, taskIdOf } from "../ids.ts";
import { AGENT_ID, type App, timestamp } from "../model.ts";
import { longer } from "./backoff.ts";
import type { FleetState } from "./fleet-state.ts";
import { healthOf, type Instance, type TaskEnd } from "./instance.ts";
import { tellCondition, tellStatus } from "./task-events.ts";

/** Mesos' own grace when the app names none. */
const DEFAULT_GRACE_SECONDS = 3;

/** Starts one instance whose resources are reserved. */
export function launch(fleet: FleetState, app: App): void {
  const { context } = fleet;
  const { id, incarnation } = fleet.vacant.shift() ?? {
    id: instanceIdOf(app.id, context.newId()),
    incarnation: 1,
  };
  const instance: Instance = {
    id,
    taskId: taskIdOf(id, incarnation, context.profile.incarnations),
    incarnation,
    app,
    state: "TASK_STAGING",
    goal: "Running",
    stagedAt: context.clock.now(),
    ports: [],
    health: new Map(),
    ending: new AbortController(),
    life: Promise.resolve(),
  };
  fleet.instances.set(id, instance);
  fleet.dirty = true;
  instance.life = live(fleet, instance);
}

/** Begins to end an instance. What becomes of its place depends on its goal. */
export function endInstance(fleet: FleetState, instance: Instance): void {
  if (instance.ending.signal.aborted) return;
  instance.ending.abort();
  fleet.dirty = true;
  if (instance.task) stopTask(instance);
}

async function live(fleet: FleetState, instance: Instance): Promise<void> {
  const { backend, events, host } = fleet.context;
  tellCondition(events, host, instance, "Provisioned");
  tellCondition(events, host, instance, "Staging");
  try {
    instance.task = await backend.start(instance);
  } catch (error) {
    over(fleet, instance, { state: "TASK_FAILED", message: (error as Error).message });
    return;
  }
  if (instance.ending.signal.aborted) stopTask(instance);
  else run(fleet, instance);
  over(fleet, instance, await instance.task.exited);
}

function run(fleet: FleetState, instance: Instance): void {
  const { clock, events, host, monitor } = fleet.context;
  tellCondition(events, host, instance, "Starting");
  tellStatus(events, host, instance, "TASK_STARTING", "");
  instance.state = "TASK_RUNNING";
  instance.startedAt = clock.now();
  tellCondition(events, host, instance, "Running");
  tellStatus(events, host, instance, "TASK_RUNNING", "");
  monitor.watch(instance, {
    changed: () => fleet.changed(),
    kill: (reason) => killUnhealthy(fleet, instance, reason),
  });
  fleet.changed();
}

function stopTask(instance: Instance): void {
  instance.state = "TASK_KILLING";
  const seconds = instance.app.taskKillGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
  // A task that outlives SIGKILL stays listed as being killed; there is nothing more to be done about it.
  instance.task?.stop(seconds * 1000).catch(() => undefined);
}

function killUnhealthy(fleet: FleetState, instance: Instance, reason: string): void {
  const { events, host } = fleet.context;
  const { app, taskId } = instance;
  events.emit("unhealthy_instance_kill_event", {
    appId: app.id,
    taskId,
    instanceId: instance.id,
    version: app.version,
    reason,
    host,
    slaveId: AGENT_ID,
  });
  record(fleet, instance, "TASK_KILLED", `Task was killed since health check failed. Reason: ${reason}`);
  instance.goal = "Decommissioned";
  endInstance(fleet, instance);
  fleet.changed();
}

/** The instance is gone: frees its place, and counts a failure. */
function over(fleet: FleetState, instance: Instance, end: TaskEnd): void {
  const { clock, events, host, profile, resources } = fleet.context;
  const killed = instance.ending.signal.aborted;
  const state = killed ? "TASK_KILLED" : end.state;
  const hadHealth = healthOf(instance) !== undefined;
  instance.ending.abort();
  instance.state = state;
  fleet.instances.delete(instance.id);
  resources.release(instance.app);
  tellCondition(events, host, instance, `${state.charAt(5)}${state.slice(6).toLowerCase()}`);
  tellStatus(events, host, instance, state, killed ? "" : end.message);
  if (hadHealth) tellHealthGone(fleet, instance);
  // Where task ids do not tell one run of an instance from the next, a new instance takes its place.
  if (killed && instance.goal === "Running" && profile.incarnations)
    fleet.vacant.push({ id: instance.id, incarnation: instance.incarnation + 1 });
  if (!killed) fleet.delay = longer(instance.app, fleet.delay, clock.now());
  if (state === "TASK_FAILED") record(fleet, instance, state, end.message);
  fleet.changed();
  fleet.context.released();
}

function tellHealthGone(fleet: FleetState, { id, app }: Instance): void {
  fleet.context.events.emit("instance_health_changed_event", {
    instanceId: id,
    runSpecId: app.id,
    healthy: null,
    runSpecVersion: app.version,
  });
}

function record(fleet: FleetState, instance: Instance, state: string, message: string): void {
  const { clock, host, recordFailure } = fleet.context;
  recordFailure({
    appId: instance.app.id,
    host,
    message,
    state,
    taskId: instance.taskId,
    slaveId: AGENT_ID,
    timestamp: timestamp(clock.now()),
    version: instance.app.version,
  });
}
