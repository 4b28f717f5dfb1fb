import type { Clock, EnvName, EventSink, JobFormat, Kv, Random, Scheduler, TargetName } from "@sluice/core";

/** Where the jobs of one folder run. */
export interface DeployerTarget {
  readonly format: JobFormat;
  readonly scheduler: Scheduler;
  /** Writes under way at once; 8 where absent. */
  readonly concurrency?: number;
  /** Health deadline in milliseconds for jobs that name none; five minutes where absent. */
  readonly waitMs?: number;
  /** False: drift is only reported. True where absent. */
  readonly heal?: boolean;
}

export interface DeployerOptions {
  readonly environment: EnvName;
  /** The value of the ownership mark on every job of this engine and environment; must never change. */
  readonly mark: string;
  readonly kv: Kv;
  /** The KV prefix of all environments: `sluice/`. */
  readonly prefix: string;
  readonly targets: ReadonlyMap<TargetName, DeployerTarget>;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  /** Who holds the leader lock, for people. */
  readonly holder: string;
  /** Time between two looks at everything, in milliseconds; a minute where absent. */
  readonly driftIntervalMs?: number;
  readonly lock?: { readonly ttlMs: number; readonly lockDelayMs: number };
}

export const DEFAULT_CONCURRENCY = 8;
export const DEFAULT_WAIT_MS = 5 * 60_000;
export const DEFAULT_DRIFT_INTERVAL_MS = 60_000;
export const DEFAULT_LOCK = { ttlMs: 15_000, lockDelayMs: 5_000 } as const;
