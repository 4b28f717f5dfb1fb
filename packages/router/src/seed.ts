import type { ServiceInstance } from "@sluice/core";
import type { RunningSlot } from "./balancer/balancer.ts";
import { placesOf } from "./clashes.ts";
import type { RouterMemory } from "./decide.ts";
import { routeOf } from "./route.ts";
import type { Slot } from "./slots.ts";

/** Begins where a running balancer is: its servers keep their slots, so that nothing has to be reloaded. */
export function seedSlots(
  running: ReadonlyMap<string, readonly RunningSlot[]>,
  services: ReadonlyMap<string, readonly ServiceInstance[]>,
  memory: RouterMemory,
  now: number,
): void {
  const holders = new Map<string, string>();
  for (const [service, instances] of services) {
    const route = routeOf(service, instances).route;
    const found = route && running.get(route.name);
    if (!route || !found) continue;
    const byPlace = new Map(route.servers.map((server) => [`${server.address}:${server.port}`, server]));
    for (const place of placesOf(route)) if (!holders.has(place)) holders.set(place, service);
    const slots = found.map(({ name, address, port, weight, state }): Slot => {
      if (state === "maint") return { name, server: undefined, draining: false };
      const known = byPlace.get(`${address}:${port}`);
      byPlace.delete(`${address}:${port}`);
      // One that the catalog does not name: it is let go as any other, under the guard.
      const server = known ?? { id: `slot/${name}`, address, port, weight };
      return { name, server, draining: state === "drain" };
    });
    memory.slots.set(route.name, slots);
    const servers = slots.flatMap(({ server, draining }) => (server && !draining ? [server] : []));
    const most = { count: servers.length, at: now };
    memory.guards.set(service, { servers, missingSince: new Map(), most });
  }
  memory.holders = holders;
}
