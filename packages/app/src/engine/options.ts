import type { Clock, EventSink, Random } from "@sluice/core";
import type { Config } from "../config/schema.ts";
import type { Role } from "./roles.ts";

/** What one engine process is to do. */
export interface EngineOptions {
  readonly config: Config;
  readonly roles: ReadonlySet<Role>;
  /** Where events go besides metrics, the KV and `/events`. */
  readonly log: EventSink;
  readonly clock: Clock;
  readonly random: Random;
}
