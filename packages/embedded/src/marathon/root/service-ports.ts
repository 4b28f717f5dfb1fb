import type { Spec } from "../app/complete.ts";
import { Refusal } from "../refusal.ts";

/** Assigns the ports that a client left at 0, unique among all apps. */
export interface ServicePorts {
  /** The spec with every 0 replaced: first by what the app had before, then by free ones. @throws Refusal 500: none left. */
  assign(spec: Spec, before: Spec | undefined): Spec;
  take(spec: Spec): void;
  release(spec: Spec): void;
}

/** @param range first and last port; Marathon's own default is 10000 to 20000. */
export function servicePorts([first, last]: readonly [number, number]): ServicePorts {
  const uses = new Map<number, number>();
  let next = first;

  function free(reserved: Set<number>): number {
    for (let tried = first; tried <= last; tried++) {
      const port = next;
      next = next === last ? first : next + 1;
      if (!uses.has(port) && !reserved.has(port)) return port;
    }
    throw new Refusal(500, { message: `No more ports available in the range ${first} to ${last}` });
  }

  return {
    assign(spec, before) {
      const given = new Set(portsOf(spec));
      const earlier = (before ? portsOf(before) : []).filter((port) => port > 0 && !given.has(port));
      const chosen = new Set(earlier);
      return withPorts(spec, () => {
        const port = earlier.shift() ?? free(chosen);
        chosen.add(port);
        return port;
      });
    },
    take(spec) {
      for (const port of portsOf(spec)) uses.set(port, (uses.get(port) ?? 0) + 1);
    },
    release(spec) {
      for (const port of portsOf(spec)) {
        const left = (uses.get(port) ?? 1) - 1;
        if (left > 0) uses.set(port, left);
        else uses.delete(port);
      }
    },
  };
}

/** The service ports of an app: its port definitions, or the `servicePort` of its mappings. */
export function portsOf(spec: Pick<Spec, "portDefinitions" | "container">): number[] {
  const mappings = spec.container?.portMappings;
  if (mappings) return mappings.map((mapping) => mapping.servicePort ?? 0);
  return (spec.portDefinitions ?? []).map((one) => one.port);
}

function withPorts(spec: Spec, assign: () => number): Spec {
  const { portDefinitions, container } = spec;
  return {
    ...spec,
    ...(portDefinitions && {
      portDefinitions: portDefinitions.map((one) => ({ ...one, port: one.port || assign() })),
    }),
    ...(container?.portMappings && {
      container: {
        ...container,
        portMappings: container.portMappings.map((one) => ({
          ...one,
          servicePort: one.servicePort || assign(),
        })),
      },
    }),
  };
}
