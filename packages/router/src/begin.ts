import { type Outcome, type ServiceInstance, wait } from "@sluice/core";
import type { RunningSlot } from "./balancer/balancer.ts";
import type { Work } from "./pass.ts";
import { routeOf } from "./route.ts";
import { seedSlots } from "./seed.ts";

type Services = ReadonlyMap<string, readonly ServiceInstance[]>;
type Running = ReadonlyMap<string, readonly RunningSlot[]>;

const LOOK_AGAIN_MS = 1_000;
/** A template of a user's own may have backends that are no service of ours. */
const OUR_SLOT = /^s\d+$/;

/**
 * Takes over from a balancer that runs: its servers keep their places. What it serves and the catalog does not name holds the
 * beginning up: nobody knows any more what led to it.
 */
export async function begin(
  services: Services,
  work: Work,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { balancer, memory, state, snapshot, clock } = work;
  if (state.begun) return undefined;
  const loaded = await balancer.loaded(signal);
  const running: Running =
    loaded?.structure && balancer.readServers ? await balancer.readServers(signal) : new Map();
  const lost = [...running]
    .filter(([name, slots]) => slots.every((slot) => OUR_SLOT.test(slot.name)) && !isKnown(services, name))
    .map(([name]) => name);
  const unread = snapshot.unread();
  const waiting = lost.length > 0 ? hold(lost, services, work) : undefined;
  if (waiting) return waiting;
  if (lost.some((name) => unread.has(name)))
    return wait("Pending", "the balancer serves what the catalog did not tell yet", LOOK_AGAIN_MS);
  seedSlots(running, services, memory, clock.now());
  state.trust.worked(
    [...services].flatMap(([service, instances]) => {
      const route = running.has(service) ? routeOf(service, instances).route : undefined;
      return route ? [{ route, slots: [] }] : [];
    }),
  );
  state.begun = true;
  return undefined;
}

function isKnown(services: Services, name: string): boolean {
  return (services.get(name)?.length ?? 0) > 0;
}

function hold(lost: readonly string[], services: Services, work: Work): Outcome | undefined {
  const { state, timing, clock, emit } = work;
  if (state.missingSince === undefined)
    for (const service of lost) emit({ type: "router.held", service, servers: 0 });
  state.missingSince ??= clock.now();
  const nothing = [...services.values()].every((instances) => instances.length === 0);
  const left = state.missingSince + (nothing ? timing.holdEmptyMs : timing.holdMs) - clock.now();
  if (left <= 0) return undefined;
  const message = `the balancer serves what the catalog does not name: ${lost.slice(0, 5).join(", ")}`;
  return wait("Pending", message, Math.min(left, LOOK_AGAIN_MS));
}
