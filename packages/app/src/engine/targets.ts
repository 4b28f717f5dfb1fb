import type { Scheduler, TargetName } from "@sluice/core";
import type { DeployerTarget } from "@sluice/deployer";
import { type Environment, milliseconds } from "./environment.ts";

/** An environment's targets as the deployer takes them. */
export function deployerTargets(
  environment: Environment,
  schedulers: ReadonlyMap<TargetName, Scheduler> = environment.openSchedulers(),
): ReadonlyMap<TargetName, DeployerTarget> {
  return new Map(
    [...environment.formats].flatMap(([name, format]) => {
      const settings = environment.config.targets[name];
      const scheduler = schedulers.get(name);
      if (!settings || !scheduler) return [];
      const { concurrency, heal, wait } = settings;
      return [[name, { format, scheduler, concurrency, heal, waitMs: milliseconds(wait) }] as const];
    }),
  );
}
