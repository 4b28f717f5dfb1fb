import type { Clock } from "@sluice/core";
import type { EventBus } from "../events.ts";
import type { HealthCheck } from "../model.ts";
import { healthOf, type Instance } from "../tasks/instance.ts";
import { judge, type ProbeResult } from "./health.ts";

/** Whom the monitor tells about one instance. */
export interface Watcher {
  /** Its health or readiness moved. */
  changed(): void;
  /** It failed too often. */
  kill(reason: string): void;
}

export interface HealthMonitor {
  /** Probes a running instance until it is to end. */
  watch(instance: Instance, watcher: Watcher): void;
}

/** Performs one probe. */
export interface Prober {
  check(instance: Instance, check: HealthCheck): Promise<ProbeResult>;
  /** Puts the answer into the instance. @returns whether it is ready. */
  readiness(instance: Instance): Promise<boolean>;
}

export interface MonitorOptions {
  clock: Clock;
  events: EventBus;
  prober: Prober;
  /** See `EmbeddedMarathonOptions.firstProbeDelayMs`. */
  firstProbeDelayMs: number;
}

/** Marathon's own delay before a first probe is the interval, but at most this. */
const MARATHON_FIRST_DELAY_MS = 5000;
/** How much the pause between early probes grows each time. */
const GROWTH = 1.1;
const SHORTEST_INTERVAL_MS = 50;

export function healthMonitor(options: MonitorOptions): HealthMonitor {
  return {
    watch(instance, watcher) {
      for (const [index, check] of (instance.app.healthChecks ?? []).entries()) {
        options.events.emit("add_health_check_event", {
          appId: instance.app.id,
          version: instance.app.version,
          healthCheck: check,
        });
        void probeOften(options, instance, { index, check, watcher });
      }
      if (instance.app.readinessChecks) void probeUntilReady(options, instance, watcher);
    },
  };
}

/** Passes every check at once. */
export function trustingMonitor(clock: Clock): HealthMonitor {
  return {
    watch(instance, watcher) {
      const now = clock.now();
      for (const index of (instance.app.healthChecks ?? []).keys())
        instance.health.set(index, {
          alive: true,
          consecutiveFailures: 0,
          firstSuccess: now,
          lastSuccess: now,
        });
      const [readiness] = instance.app.readinessChecks ?? [];
      if (readiness) instance.readiness = { name: readiness.name, taskId: instance.taskId, ready: true };
      watcher.changed();
    },
  };
}

interface Probing {
  index: number;
  check: HealthCheck;
  watcher: Watcher;
}

async function probeOften(options: MonitorOptions, instance: Instance, probing: Probing): Promise<void> {
  const { clock, prober, firstProbeDelayMs } = options;
  const { signal } = instance.ending;
  const { check, index } = probing;
  const interval = Math.max(SHORTEST_INTERVAL_MS, check.intervalSeconds * 1000);
  const runningSince = instance.startedAt ?? clock.now();
  let early = firstProbeDelayMs;
  let pause = Math.min(early, interval, MARATHON_FIRST_DELAY_MS);
  for (;;) {
    await clock.sleep(pause, signal);
    if (signal.aborted) return;
    const result = await prober.check(instance, check);
    if (signal.aborted) return;
    settle(options, instance, probing, result);
    const isEarly =
      instance.health.get(index)?.firstSuccess === undefined &&
      clock.now() - runningSince < check.gracePeriodSeconds * 1000;
    early *= GROWTH;
    pause = isEarly ? Math.min(early, interval) : interval;
  }
}

function settle(options: MonitorOptions, instance: Instance, probing: Probing, result: ProbeResult): void {
  const { clock, events } = options;
  const { index, check, watcher } = probing;
  const { app, id } = instance;
  const now = clock.now();
  const before = instance.health.get(index);
  const wasHealthy = healthOf(instance);
  const verdict = judge(before, result, { check, now, age: now - (instance.startedAt ?? now) });
  if (verdict.health) instance.health.set(index, verdict.health);
  if (verdict.failed)
    events.emit("failed_health_check_event", { appId: app.id, taskId: id, healthCheck: check });
  const alive = verdict.health?.alive ?? false;
  if (alive !== (before?.alive ?? false))
    events.emit("health_status_changed_event", {
      appId: app.id,
      instanceId: id,
      version: app.version,
      alive,
    });
  const healthy = healthOf(instance);
  if (healthy !== wasHealthy)
    events.emit("instance_health_changed_event", {
      instanceId: id,
      runSpecId: app.id,
      healthy: healthy ?? null,
      runSpecVersion: app.version,
    });
  if (verdict.kill) watcher.kill(result.ok ? "" : result.cause);
  else if (healthy !== wasHealthy) watcher.changed();
}

async function probeUntilReady(options: MonitorOptions, instance: Instance, watcher: Watcher): Promise<void> {
  const { clock, prober, firstProbeDelayMs } = options;
  const { signal } = instance.ending;
  const interval = (instance.app.readinessChecks?.[0]?.intervalSeconds ?? 1) * 1000;
  let early = firstProbeDelayMs;
  while (!signal.aborted) {
    await clock.sleep(Math.min(early, interval), signal);
    if (signal.aborted) return;
    const ready = await prober.readiness(instance);
    watcher.changed();
    if (ready) return;
    early *= GROWTH;
  }
}
