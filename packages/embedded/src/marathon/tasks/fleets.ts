import { createFleet, type Fleet } from "./fleet.ts";
import type { FleetContext } from "./fleet-state.ts";

/** The fleets of all apps that have or shall have instances. */
export interface Fleets {
  get(appId: string): Fleet | undefined;
  /** The fleet of an app, made when it has none. */
  of(appId: string): Fleet;
  all(): Iterable<Fleet>;
  /** Those with launches that cannot be made yet. */
  waiting(): Fleet[];
  /** Forgets a fleet that has no instances left. */
  drop(appId: string): void;
}

export function createFleets(context: Omit<FleetContext, "released" | "waiting">): Fleets {
  const fleets = new Map<string, Fleet>();
  const shared: FleetContext = {
    ...context,
    waiting: new Set(),
    released() {
      for (const fleet of waiting()) fleet.poke();
    },
  };
  const waiting = () => [...shared.waiting].flatMap((appId) => fleets.get(appId) ?? []);
  return {
    get: (appId) => fleets.get(appId),
    of(appId) {
      const known = fleets.get(appId);
      if (known) return known;
      const fleet = createFleet(shared, appId);
      fleets.set(appId, fleet);
      return fleet;
    },
    all: () => fleets.values(),
    waiting,
    drop(appId) {
      fleets.delete(appId);
      shared.waiting.delete(appId);
    },
  };
}
