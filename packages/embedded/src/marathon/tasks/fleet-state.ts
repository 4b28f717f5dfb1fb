import type { Clock } from "@sluice/core";
import type { LinkedAbort } from "../../process/linked-abort.ts";
import type { EventBus } from "../events.ts";
import type { HealthMonitor } from "../health/monitor.ts";
import type { App, TaskFailure } from "../model.ts";
import type { Profile } from "../profiles.ts";
import type { Delay } from "./backoff.ts";
import { type Instance, isOutdated, type TaskBackend } from "./instance.ts";
import type { Resources } from "./resources.ts";

/** What fleets share. */
export interface FleetContext {
  clock: Clock;
  profile: Profile;
  host: string;
  events: EventBus;
  backend: TaskBackend;
  monitor: HealthMonitor;
  resources: Resources;
  /** Aborts when the server stops; nothing is launched afterwards. */
  closing: AbortSignal;
  newId: () => string;
  recordFailure(failure: TaskFailure): void;
  /** Apps with launches that cannot be made yet. */
  waiting: Set<string>;
  /** Something a waiting launch may need came free. */
  released(): void;
}

/** What a fleet strives for. */
export interface Aim {
  app: App;
  count: number;
  /** `any`: instances of old configurations count too. `current`: only those of the app's one. */
  of: "any" | "current";
}

/** Launches that cannot be made yet. */
export interface Waiting {
  since: number;
  reasons: string[];
}

/** The instances of one app, and what they strive for. Changed only by the functions of this folder. */
export interface FleetState {
  readonly context: FleetContext;
  readonly appId: string;
  readonly instances: Map<string, Instance>;
  aim: Aim | undefined;
  delay: Delay | undefined;
  waiting: Waiting | undefined;
  /** Instances killed by a person, whose id the next launch takes over. */
  readonly vacant: { id: string; incarnation: number }[];
  driver: (() => void) | undefined;
  /** When waiting launches are tried again, in milliseconds since the epoch. */
  timer: (LinkedAbort & { at: number }) | undefined;
  /** A change happened that has not been acted upon. */
  dirty: boolean;
  /** Lets the fleet act on a change. Changes that this causes in turn are taken up before it returns. */
  changed(): void;
}

/** The instances that count towards an aim. */
export function counted(fleet: FleetState, aim: Aim): Instance[] {
  return [...fleet.instances.values()].filter(
    (one) => one.goal === "Running" && (aim.of === "any" || !isOutdated(one, aim.app)),
  );
}
