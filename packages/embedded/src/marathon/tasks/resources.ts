import { constraintsAllow } from "../app/constraints.ts";
import type { App } from "../model.ts";
import { endpointsOf } from "../pod/pod-app.ts";

/** What the one agent offers; what is absent is unlimited. `mem` and `disk` in MiB. */
export interface Capacity {
  cpus?: number;
  mem?: number;
  disk?: number;
  gpus?: number;
}

/** Keeps account of what running tasks use. */
export interface Resources {
  /**
   * Sets an instance's share aside. @returns the reasons, in the words of `/v2/queue`, why that cannot be; empty: done.
   * @param running how many instances of the app exist already.
   */
  reserve(app: App, running: number): string[];
  release(app: App): void;
}

const KINDS = [
  ["cpus", "InsufficientCpus"],
  ["mem", "InsufficientMemory"],
  ["disk", "InsufficientDisk"],
  ["gpus", "InsufficientGpus"],
] as const;

export function resources(capacity: Capacity, hostname: string): Resources {
  const used = { cpus: 0, mem: 0, disk: 0, gpus: 0 };
  const fixedPorts = new Set<number>();

  return {
    reserve(app, running) {
      const reasons: string[] = KINDS.filter(
        ([kind]) => used[kind] + app[kind] > (capacity[kind] ?? Infinity),
      ).map(([, reason]) => reason);
      if (!constraintsAllow(app.constraints ?? [], hostname, running)) reasons.push("UnfulfilledConstraint");
      if (fixedPortsOf(app).some((port) => fixedPorts.has(port))) reasons.push("InsufficientPorts");
      if (reasons.length > 0) return reasons;
      for (const [kind] of KINDS) used[kind] += app[kind];
      for (const port of fixedPortsOf(app)) fixedPorts.add(port);
      return [];
    },
    release(app) {
      for (const [kind] of KINDS) used[kind] -= app[kind];
      for (const port of fixedPortsOf(app)) fixedPorts.delete(port);
    },
  };
}

/** One place per port definition or mapping: its host port, 0 for any, undefined for none. */
export function hostPortsWanted(app: App): (number | undefined)[] {
  if (app.pod) return endpointsOf(app.pod.containers).map((one) => one.hostPort);
  if (app.container?.portMappings) return app.container.portMappings.map((mapping) => mapping.hostPort);
  return (app.portDefinitions ?? []).map((one) => (app.requirePorts ? one.port : 0));
}

function fixedPortsOf(app: App): number[] {
  return hostPortsWanted(app).filter((port): port is number => port !== undefined && port > 0);
}
