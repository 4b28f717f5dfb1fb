import type { ServiceInstance } from "@sluice/core";
import type { RunningSlot } from "./balancer/balancer.ts";
import { type GuardState, guardServers } from "./guard.ts";
import type { Backend } from "./render.ts";
import { type Route, routeOf, withoutClashes } from "./route.ts";
import { assignSlots, emptySlots, FEWEST_SLOTS, releaseSlots, type Slot } from "./slots.ts";

/** What is remembered from look to look. */
export interface RouterMemory {
  /** The last usable route of each service. */
  readonly routes: Map<string, Route>;
  readonly guards: Map<string, GuardState>;
  /** By the backend's name. */
  readonly slots: Map<string, readonly Slot[]>;
  /** When a slot began to drain, by `<backend>/<slot>`. */
  readonly draining: Map<string, number>;
}

export function routerMemory(): RouterMemory {
  return { routes: new Map(), guards: new Map(), slots: new Map(), draining: new Map() };
}

export interface DecideOptions {
  readonly now: number;
  readonly mostRemoved: number;
  readonly holdMs: number;
  readonly holdEmptyMs: number;
  readonly drainMs: number;
}

export interface Decision {
  readonly backends: readonly Backend[];
  readonly problems: readonly string[];
  /** Services whose vanished servers are kept, and how many. */
  readonly held: ReadonlyMap<string, number>;
}

/** What the balancer is to do, from what the catalog says and what was before. Writes what is to be remembered. */
export function decide(
  services: ReadonlyMap<string, readonly ServiceInstance[]>,
  memory: RouterMemory,
  options: DecideOptions,
): Decision {
  const problems: string[] = [];
  const held = new Map<string, number>();
  const found: Route[] = [];
  for (const [service, instances] of services) {
    const route = routeFor(service, instances, memory, problems);
    if (!route) continue;
    const guarded = guardServers(memory.guards.get(service), route.servers, options);
    memory.guards.set(service, guarded);
    if (guarded.held > 0) held.set(service, guarded.held);
    if (instances.length === 0 && guarded.servers.length === 0) forget(service, memory);
    else found.push({ ...route, servers: guarded.servers });
  }
  const clashless = withoutClashes(found);
  problems.push(...clashless.problems);
  const backends = clashless.routes.map(({ servers, ...route }) => {
    const slots = nextSlots(route.name, servers, memory, options);
    return { route, slots };
  });
  return { backends, problems, held };
}

/** A service of which nothing is left keeps its last route for as long as its servers are held. */
function routeFor(
  service: string,
  instances: readonly ServiceInstance[],
  { routes }: RouterMemory,
  problems: string[],
): Route | undefined {
  if (instances.length === 0) {
    const last = routes.get(service);
    return last && { ...last, servers: [] };
  }
  const finding = routeOf(service, instances);
  problems.push(...finding.problems);
  if (finding.route) routes.set(service, finding.route);
  return finding.route;
}

function forget(service: string, { routes, guards, slots }: RouterMemory): void {
  const name = routes.get(service)?.name;
  routes.delete(service);
  guards.delete(service);
  if (name !== undefined) slots.delete(name);
}

function nextSlots(
  backend: string,
  servers: Route["servers"],
  { slots, draining }: RouterMemory,
  { now, drainMs }: DecideOptions,
): readonly Slot[] {
  const before = slots.get(backend) ?? emptySlots(FEWEST_SLOTS);
  const key = ({ name }: Slot) => `${backend}/${name}`;
  const released = releaseSlots(before, (slot) => now - (draining.get(key(slot)) ?? now) >= drainMs);
  const next = assignSlots(released, servers);
  for (const slot of next) {
    if (!slot.draining) draining.delete(key(slot));
    else if (!draining.has(key(slot))) draining.set(key(slot), now);
  }
  slots.set(backend, next);
  return next;
}

/** Begins where a running balancer is: its servers keep their slots, so that nothing has to be reloaded. */
export function seedSlots(
  running: ReadonlyMap<string, readonly RunningSlot[]>,
  services: ReadonlyMap<string, readonly ServiceInstance[]>,
  memory: RouterMemory,
): void {
  for (const [service, instances] of services) {
    const route = routeOf(service, instances).route;
    const found = route && running.get(route.name);
    if (!route || !found) continue;
    const byPlace = new Map(route.servers.map((server) => [`${server.address}:${server.port}`, server]));
    const slots = found.map(({ name, address, port, weight, state }): Slot => {
      const known = byPlace.get(`${address}:${port}`);
      byPlace.delete(`${address}:${port}`);
      // One that the catalog does not name: it is let go as any other, under the guard.
      const server = known ?? { id: `slot/${name}`, address, port, weight };
      return { name, server: state === "maint" ? undefined : server, draining: state === "drain" };
    });
    memory.slots.set(route.name, slots);
    const servers = slots.flatMap(({ server, draining }) => (server && !draining ? [server] : []));
    memory.guards.set(service, { servers, missingSince: undefined });
  }
}
