import type { ServiceInstance } from "@sluice/core";
import { withoutClashes } from "./clashes.ts";
import { type GuardState, guardServers } from "./guard.ts";
import type { Backend } from "./render.ts";
import { type Route, type RouteFinding, routeOf } from "./route.ts";
import { assignSlots, emptySlots, FEWEST_SLOTS, releaseSlots, type Slot } from "./slots.ts";

/** What is remembered from look to look. */
export interface RouterMemory {
  /** The last usable route of each service. */
  readonly routes: Map<string, Route>;
  /** Which service has which place, as `withoutClashes` tells. */
  holders: ReadonlyMap<string, string>;
  readonly guards: Map<string, GuardState>;
  /** By the backend's name. */
  readonly slots: Map<string, readonly Slot[]>;
  /** When a slot began to drain, by `<backend>/<slot>`. */
  readonly draining: Map<string, number>;
}

export function routerMemory(): RouterMemory {
  return { routes: new Map(), holders: new Map(), guards: new Map(), slots: new Map(), draining: new Map() };
}

export interface DecideOptions {
  readonly now: number;
  readonly mostRemoved: number;
  readonly holdMs: number;
  readonly holdEmptyMs: number;
  readonly drainMs: number;
  /** Ports that are the balancer's own. */
  readonly reserved: ReadonlySet<number>;
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
    const finding = routeOf(service, instances);
    const route = routeFor(service, instances.length, finding, memory);
    if (instances.length > 0) problems.push(...finding.problems);
    if (!route) continue;
    const released = new Set(finding.released);
    const guarded = guardServers(memory.guards.get(service), route.servers, released, options);
    memory.guards.set(service, guarded);
    if (guarded.held > 0) held.set(service, guarded.held);
    if (instances.length === 0 && guarded.servers.length === 0) forget(service, memory);
    else found.push({ ...route, servers: guarded.servers });
  }
  const clashless = withoutClashes(found, { holders: memory.holders, reserved: options.reserved });
  memory.holders = clashless.holders;
  problems.push(...clashless.problems);
  const backends = clashless.routes.map(({ servers, ...route }) => {
    const slots = nextSlots(route.name, servers, memory, options);
    return { route, slots };
  });
  forgetAllBut(new Set(backends.map(({ route }) => route.name)), memory);
  return { backends, problems, held };
}

/**
 * A service of which nothing is left keeps its last route for as long as its servers are held, and one whose words turn into
 * something that cannot be used for as long as it is there: traffic goes on where it went.
 */
function routeFor(
  service: string,
  instances: number,
  { route, servers }: RouteFinding,
  { routes }: RouterMemory,
): Route | undefined {
  const last = routes.get(service);
  if (instances === 0 || !route) return last && { ...last, servers };
  routes.set(service, route);
  return route;
}

/** What is remembered of backends that are no more, as of those that lost their place to another. */
function forgetAllBut(backends: ReadonlySet<string>, { slots, draining }: RouterMemory): void {
  for (const name of slots.keys()) if (!backends.has(name)) slots.delete(name);
  for (const key of draining.keys())
    if (!backends.has(key.slice(0, key.lastIndexOf("/")))) draining.delete(key);
}

function forget(service: string, { routes, guards }: RouterMemory): void {
  routes.delete(service);
  guards.delete(service);
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
