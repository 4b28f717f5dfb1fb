import type { Catalog, Clock, EventSink, Random } from "@sluice/core";
import type { Balancer } from "./balancer/balancer.ts";

export interface RouterOptions {
  readonly catalog: Catalog;
  readonly balancer: Balancer;
  /** The file the balancer reads. */
  readonly file: string;
  /** The template's text. */
  readonly template: string;
  /** Words for the template alone. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Services with this tag are routed. */
  readonly tag: string;
  /** Services that are routed whatever their tags. */
  readonly services: readonly string[];
  readonly events: EventSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing?: Partial<Timing>;
  /** More than this share of a service's servers gone at once is not believed at first; 0.5 where absent. */
  readonly mostRemoved?: number;
  /** Told of each look that came to its end. */
  readonly looked?: (found: RouterLook) => void;
}

/** What a look found. */
export interface RouterLook {
  readonly services: number;
  /** Servers that get traffic. */
  readonly servers: number;
  /** Servers that vanished, and are kept for now. */
  readonly held: number;
  /** Services and instances that cannot be routed. */
  readonly leftOut: number;
}

/** Milliseconds. */
export interface Timing {
  /** The catalog has to be quiet for so long, */
  readonly quietMs: number;
  /** but nobody waits longer than this for it. */
  readonly patienceMs: number;
  /** Between two reloads; two in a row are let through at once. */
  readonly reloadMs: number;
  /** How long many servers that vanish at once are kept, */
  readonly holdMs: number;
  /** and how long where not one is left. */
  readonly holdEmptyMs: number;
  /** How long a server that goes gets nobody new before it is let go. */
  readonly drainMs: number;
  /** Between two looks when nothing is heard. */
  readonly intervalMs: number;
}

export const TIMING: Timing = {
  quietMs: 100,
  patienceMs: 2_000,
  reloadMs: 2_000,
  holdMs: 30_000,
  holdEmptyMs: 5 * 60_000,
  drainMs: 15_000,
  intervalMs: 30_000,
};
