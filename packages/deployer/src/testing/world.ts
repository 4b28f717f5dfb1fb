import {
  type DeploymentStatus,
  type EnvName,
  envName,
  type InventoryEntry,
  type JobStatus,
  kvLayout,
  type TargetName,
  targetName,
} from "@sluice/core";
import {
  type ManualClock,
  type MemoryKv,
  type MemoryScheduler,
  manualClock,
  memoryKv,
  memoryScheduler,
  type RecordingSink,
  recordingSink,
} from "@sluice/core/testing";
import { type Deployer, deployer } from "../deployer.ts";
import type { DeployerTarget } from "../options.ts";
import { toyFormat } from "./toy-format.ts";
import { type ToyMirror, toyMirror } from "./toy-mirror.ts";

export const MARK = "sluice-test";

/** An engine with doubles all around it, for tests. */
export interface World {
  readonly kv: MemoryKv;
  readonly clock: ManualClock;
  readonly events: RecordingSink;
  readonly mirror: ToyMirror;
  readonly apps: MemoryScheduler;
  readonly cron: MemoryScheduler;
  readonly layout: ReturnType<typeof kvLayout>;
  /** Starts an engine. @returns it, with a way to stop it and wait for its end. */
  start(): Running;
  /** Stops every engine that runs. */
  stop(): Promise<void>;
  /** Lets work go on, moving time where everybody sleeps, until the condition holds. @throws after a minute of the clock's time. */
  until(condition: () => boolean, what?: string, mostMs?: number): Promise<void>;
  /** Lets everything that can go on without time passing do so. */
  idle(): Promise<void>;
  /** Moves time, so that a whole round is made, and lets it end. */
  round(): Promise<void>;
  status(key: string): JobStatus | undefined;
  deployment(): DeploymentStatus | undefined;
  inventory(): readonly InventoryEntry[];
  /** `sync/health/reason` of every job that has a status. */
  states(): Record<string, string>;
}

export interface Running {
  readonly engine: Deployer;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly apps?: Partial<DeployerTarget>;
  readonly cron?: Partial<DeployerTarget>;
}

export function world(options: WorldOptions = {}): World {
  const environment: EnvName = envName("test");
  const kv = memoryKv();
  const clock = manualClock();
  const events = recordingSink();
  const apps = memoryScheduler();
  const cron = memoryScheduler();
  const layout = kvLayout("sluice/", environment);
  const targets = new Map<TargetName, DeployerTarget>([
    [targetName("apps"), { format: toyFormat, scheduler: apps, ...options.apps }],
    [targetName("cron"), { format: toyFormat, scheduler: cron, ...options.cron }],
  ]);
  const running = new Set<Running>();

  async function turns(count = 10) {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  function record<T>(key: string): T | undefined {
    const text = kv.dump(key)[key];
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  const made: World = {
    kv,
    clock,
    events,
    apps,
    cron,
    layout,
    mirror: toyMirror(kv, layout),
    start() {
      const stopping = new AbortController();
      const random = () => 0.5;
      const engine = deployer({
        environment,
        mark: MARK,
        kv,
        prefix: "sluice/",
        targets,
        clock,
        random,
        events,
        holder: "test",
      });
      const ended = engine.run(stopping.signal);
      const one: Running = {
        engine,
        async stop() {
          stopping.abort();
          running.delete(one);
          await ended;
        },
      };
      running.add(one);
      return one;
    },
    async stop() {
      await Promise.all([...running].map((one) => one.stop()));
    },
    async until(condition, what = "the condition", mostMs = 60_000) {
      const from = clock.now();
      for (await turns(); !condition(); await turns(2)) {
        if (clock.now() - from > mostMs)
          throw new Error(`${what} did not come about: ${JSON.stringify(made.states())}`);
        await clock.advance(25);
      }
    },
    idle: () => turns(40),
    async round() {
      await clock.advance(70_000);
      await turns();
    },
    status: (key) => record(`${layout.statuses}${key}`),
    deployment: () => record(layout.deployment),
    inventory: () =>
      Object.values(kv.dump(layout.inventories)).map((text) => JSON.parse(text) as InventoryEntry),
    states: () =>
      Object.fromEntries(
        Object.values(kv.dump(layout.statuses)).map((text) => {
          const { key, sync, health, reason } = JSON.parse(text) as JobStatus;
          return [key, `${sync}/${health}/${reason}`];
        }),
      ),
  };
  return made;
}

/** A job file of the toy format. */
export function job(id: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ id, ...more });
}
