import type { App } from "../model.ts";
import { current } from "./backoff.ts";
import { balance } from "./balance.ts";
import { type Aim, counted, type FleetContext, type FleetState, type Waiting } from "./fleet-state.ts";
import type { Instance } from "./instance.ts";
import { endInstance } from "./life.ts";

export interface Fleet {
  readonly appId: string;
  instances(): Instance[];
  /** Sets what is strived for, and begins. */
  aim(aim: Aim): void;
  /** Ends an instance. `replace`: another one takes its place and its id once it is gone. */
  kill(instance: Instance, how: { replace: boolean }): void;
  /** Calls `step` at every change of the fleet until it answers true or the signal aborts. One at a time per fleet. */
  drive(step: () => boolean, signal: AbortSignal): Promise<void>;
  /** Launches not made yet, with the delay that holds them back, if any. */
  pending(): (Waiting & { app: App; count: number; delayMs: number }) | undefined;
  resetDelay(): void;
  /** Tries waiting launches again. */
  poke(): void;
}

export function createFleet(context: FleetContext, appId: string): Fleet {
  const fleet: FleetState = {
    context,
    appId,
    instances: new Map(),
    aim: undefined,
    delay: undefined,
    waiting: undefined,
    vacant: [],
    driver: undefined,
    timer: undefined,
    dirty: false,
    changed: () => undefined,
  };
  fleet.changed = reacting(fleet);
  return {
    appId,
    instances: () => [...fleet.instances.values()],
    aim(aim) {
      if (isSame(fleet.aim, aim)) return;
      fleet.aim = aim;
      fleet.changed();
    },
    kill(instance, { replace }) {
      if (!replace) instance.goal = "Decommissioned";
      endInstance(fleet, instance);
      fleet.changed();
    },
    drive: (step, signal) => drive(fleet, step, signal),
    pending: () => pending(fleet),
    resetDelay() {
      fleet.delay = undefined;
      fleet.changed();
    },
    poke: () => fleet.changed(),
  };
}

/** A driver may set the same aim at every step; only another one is a change. */
function isSame(before: Aim | undefined, aim: Aim): boolean {
  return before?.app === aim.app && before.count === aim.count && before.of === aim.of;
}

function reacting(fleet: FleetState): () => void {
  let busy = false;
  return () => {
    fleet.dirty = true;
    if (busy) return;
    busy = true;
    try {
      while (fleet.dirty) {
        fleet.dirty = false;
        fleet.driver?.();
        balance(fleet);
      }
    } finally {
      busy = false;
    }
  };
}

function drive(fleet: FleetState, step: () => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const driver = () => {
      if (step()) finish();
    };
    function finish() {
      if (fleet.driver === driver) fleet.driver = undefined;
      signal.removeEventListener("abort", finish);
      resolve();
    }
    signal.addEventListener("abort", finish);
    fleet.driver = driver;
    fleet.changed();
  });
}

function pending(fleet: FleetState) {
  const { aim, waiting } = fleet;
  const count = aim ? aim.count - counted(fleet, aim).length : 0;
  if (!aim || !waiting || count <= 0) return undefined;
  const now = fleet.context.clock.now();
  const delayMs = Math.max(0, (current(aim.app, fleet.delay, now)?.until ?? now) - now);
  return { ...waiting, app: aim.app, count, delayMs };
}
