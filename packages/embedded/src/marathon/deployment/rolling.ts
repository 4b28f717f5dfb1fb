import { isResident } from "../app/complete.ts";
import type { App } from "../model.ts";

/** How a rolling restart begins. */
export interface Ignition {
  /** Most instances, old and new, that may exist at a time. */
  maxCapacity: number;
  /** Old ones to kill before any new one is healthy. */
  killNow: number;
}

/** What a rolling restart sees of an app's instances. */
export interface Running {
  /** Old and new ones that are not being killed. */
  count: number;
  /** Of those, how many run and, where checks are defined, are healthy. */
  healthy: number;
}

/** Marathon's ignition strategy: how many may go at once and how many may exist, from the upgrade strategy. */
export function ignition(
  app: Pick<App, "instances" | "upgradeStrategy" | "container">,
  running: Running,
): Ignition {
  const { minimumHealthCapacity, maximumOverCapacity } = app.upgradeStrategy;
  const wanted = app.instances;
  const minHealthy = Math.ceil(wanted * minimumHealthCapacity);
  let maxCapacity = Math.floor(wanted * (1 + maximumOverCapacity));
  let killNow = Math.max(0, running.healthy - minHealthy);
  if (minHealthy === maxCapacity && maxCapacity <= running.healthy) {
    if (isResident(app)) killNow = running.healthy - minHealthy + 1;
    else maxCapacity += 1;
  }
  if (wanted < running.count) killNow = Math.max(killNow, running.count - wanted);
  return { maxCapacity, killNow };
}

/** Where a rolling restart stands. */
export interface Rolling extends Ignition {
  wanted: number;
  /** Old instances not gone yet, being killed or not. */
  oldActive: number;
  /** Kills ordered so far. */
  killed: number;
  /** New instances that exist. */
  started: number;
  /** New instances that are healthy and ready. */
  ready: number;
}

/** What to do next in a rolling restart; every new instance that is ready lets one more old one go. */
export function nextRollingStep(at: Rolling): { kill: number; start: number; done: boolean } {
  return {
    kill: Math.max(0, at.killNow + at.ready - at.killed),
    start: Math.max(0, Math.min(at.wanted - at.started, at.maxCapacity - at.oldActive - at.started)),
    done: at.ready >= at.wanted && at.oldActive === 0,
  };
}
