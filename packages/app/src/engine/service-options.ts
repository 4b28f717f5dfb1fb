import { hostname } from "node:os";
import type { EventSink, Kv, KvLockOptions } from "@sluice/core";
import type { LiveEnvironments } from "./branches/live.ts";
import type { Closers } from "./closers.ts";
import type { EmbeddedAddresses } from "./embedded.ts";
import { type Environment, milliseconds } from "./environment.ts";
import type { Looked } from "./look.ts";
import type { EngineOptions } from "./options.ts";

/** What services are started with. */
export interface ServiceOptions extends EngineOptions {
  readonly environments: readonly Environment[];
  /** Where there are environments of several branches. */
  readonly branches: LiveEnvironments | undefined;
  readonly kv: Kv;
  /** Where the embedded servers answer. */
  readonly embedded: EmbeddedAddresses;
  readonly shared: EventSink;
  /** Told of each look of a service that has something to count. */
  readonly looked: Looked;
  readonly closing: Closers;
}

/** How every service of this process contends for its leader lock. */
export function lockOptions({ config: { lock } }: ServiceOptions): KvLockOptions {
  return {
    ttlMs: milliseconds(lock.ttl),
    lockDelayMs: milliseconds(lock.delay),
    holder: `${hostname()}:${process.pid}`,
  };
}
