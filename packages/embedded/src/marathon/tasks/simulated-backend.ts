import type { Clock } from "@sluice/core";
import type { EventBus } from "../events.ts";
import { type HealthMonitor, healthMonitor, type Prober, trustingMonitor } from "../health/monitor.ts";
import type { Instance, RunningTask, TaskBackend, TaskEnd } from "./instance.ts";
import { hostPortsWanted } from "./resources.ts";

/** A task about to be simulated. */
export interface SimulatedLaunch {
  appId: string;
  taskId: string;
  /** Of the app. */
  version: string;
  /** From 1, counting the tasks of the app since the server started. */
  launch: number;
}

/** What becomes of a simulated task; by default it runs, is healthy and ready at once, and never ends by itself. */
export interface SimulatedTask {
  /** From its launch until it runs; default: the server's `startDelayMs`. */
  startDelayMs?: number;
  /** From when it runs until it ends by itself; default: never. */
  endsAfterMs?: number;
  /** How it ends by itself; default: failed. */
  outcome?: "failed" | "finished";
  /** How long it takes to end when it is told to. */
  stopMs?: number;
  /** What its health checks answer, given how often any of them was asked before. */
  healthy?: (asked: number) => boolean;
  /** The same of the readiness check. */
  ready?: (asked: number) => boolean;
}

export type Simulation = (launch: SimulatedLaunch) => SimulatedTask;

export interface SimulationOptions {
  clock: Clock;
  events: EventBus;
  startDelayMs: number;
  firstProbeDelayMs: number;
  simulate: Simulation | undefined;
  /** Aborts when the server stops; nothing takes time any more then. */
  closing: AbortSignal;
}

/** Tasks that are but pretended, with invented ports. */
export function simulatedExecution(options: SimulationOptions): {
  backend: TaskBackend;
  monitor: HealthMonitor;
} {
  const { clock, events, firstProbeDelayMs, simulate } = options;
  const fates = new WeakMap<Instance, SimulatedTask>();
  const launches = new Map<string, number>();
  let next = 0;

  function fateOf({ app, taskId }: Instance): SimulatedTask {
    if (!simulate) return {};
    const launch = (launches.get(app.id) ?? 0) + 1;
    launches.set(app.id, launch);
    return simulate({ appId: app.id, taskId, version: app.version, launch });
  }

  const trusting = trustingMonitor(clock);
  const probing = healthMonitor({ clock, events, firstProbeDelayMs, prober: simulatedProber(fates) });
  return {
    backend: {
      refusal: () => undefined,
      async start(instance) {
        const fate = fateOf(instance);
        fates.set(instance, fate);
        const delay = fate.startDelayMs ?? options.startDelayMs;
        if (delay > 0) await clock.sleep(delay, instance.ending.signal);
        instance.ports = hostPortsWanted(instance.app).flatMap((port) => {
          if (port === undefined) return [];
          return port > 0 ? port : 31000 + (next++ % 1001);
        });
        return running(options, instance, fate);
      },
    },
    monitor: {
      watch(instance, watcher) {
        const { healthy, ready } = fates.get(instance) ?? {};
        const monitor = healthy || ready ? probing : trusting;
        monitor.watch(instance, watcher);
      },
    },
  };
}

function running(
  { clock, closing }: SimulationOptions,
  { ending }: Instance,
  fate: SimulatedTask,
): RunningTask {
  let end: (result: TaskEnd) => void = () => undefined;
  const exited = new Promise<TaskEnd>((resolve) => {
    end = resolve;
  });
  const { endsAfterMs, stopMs = 0, outcome = "failed" } = fate;
  const own: TaskEnd =
    outcome === "failed"
      ? { state: "TASK_FAILED", message: "Command exited with status 1" }
      : { state: "TASK_FINISHED", message: "Command exited with status 0" };
  if (endsAfterMs !== undefined)
    void clock.sleep(endsAfterMs, ending.signal).then(() => {
      if (!ending.signal.aborted) end(own);
    });
  return {
    exited,
    async stop() {
      if (stopMs > 0) await clock.sleep(stopMs, closing);
      end({ state: "TASK_FINISHED", message: "" });
    },
  };
}

function simulatedProber(fates: WeakMap<Instance, SimulatedTask>): Prober {
  const asked = new WeakMap<object, number>();
  function count(key: object): number {
    const before = asked.get(key) ?? 0;
    asked.set(key, before + 1);
    return before;
  }
  return {
    async check(instance) {
      const { healthy = () => true } = fates.get(instance) ?? {};
      return healthy(count(instance)) ? { ok: true } : { ok: false, cause: "HTTP status 503" };
    },
    async readiness(instance) {
      const { ready = () => true } = fates.get(instance) ?? {};
      const isReady = ready(count(instance.ending));
      const name = instance.app.readinessChecks?.[0]?.name ?? "";
      instance.readiness = { name, taskId: instance.taskId, ready: isReady };
      return isReady;
    },
  };
}
