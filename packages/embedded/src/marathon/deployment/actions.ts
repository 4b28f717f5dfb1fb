import type { App } from "../model.ts";
import type { Fleet } from "../tasks/fleet.ts";
import { isHealthy, isOutdated, isReady } from "../tasks/instance.ts";
import { oldVictims } from "../tasks/victims.ts";
import { ignition, nextRollingStep } from "./rolling.ts";

/** Ends every instance; done when all are gone. */
export async function stopFleet(fleet: Fleet, app: App, signal: AbortSignal): Promise<void> {
  fleet.aim({ app, count: 0, of: "any" });
  await fleet.drive(() => fleet.instances().length === 0, signal);
}

/**
 * Brings an app to its number of instances; done when what was too many is gone and what was started is ready.
 * @param sentenced ids of instances that are to go in any case.
 */
export async function scaleFleet(
  fleet: Fleet,
  app: App,
  sentenced: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const before = new Set(fleet.instances().map((one) => one.id));
  for (const one of fleet.instances()) if (sentenced.includes(one.id)) fleet.kill(one, { replace: false });
  fleet.aim({ app, count: app.instances, of: "any" });
  await fleet.drive(() => {
    const all = fleet.instances();
    const started = all.filter((one) => !before.has(one.id));
    return (
      all.length === app.instances && all.every((one) => one.goal === "Running") && started.every(isReady)
    );
  }, signal);
}

/** Replaces instances of old configurations as the upgrade strategy allows. */
export async function restartFleet(fleet: Fleet, app: App, signal: AbortSignal): Promise<void> {
  const before = fleet.instances().filter((one) => one.goal === "Running");
  const limits = ignition(app, { count: before.length, healthy: before.filter(isHealthy).length });
  let killed = 0;
  await fleet.drive(() => {
    const old = fleet.instances().filter((one) => isOutdated(one, app));
    const fresh = fleet.instances().filter((one) => one.goal === "Running" && !isOutdated(one, app));
    const next = nextRollingStep({
      ...limits,
      killed,
      wanted: app.instances,
      oldActive: old.length,
      started: fresh.length,
      ready: fresh.filter(isReady).length,
    });
    const goers = oldVictims(
      old.filter((one) => one.goal === "Running"),
      next.kill,
    );
    killed += goers.length;
    fleet.aim({ app, count: fresh.length + next.start, of: "current" });
    for (const one of goers) fleet.kill(one, { replace: false });
    return next.done;
  }, signal);
  if (!signal.aborted) fleet.aim({ app, count: app.instances, of: "any" });
}
