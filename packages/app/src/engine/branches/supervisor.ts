import { backoffMs, type Clock, type EnvName, type Random } from "@sluice/core";
import type { Environment } from "../environment.ts";

export interface SupervisorOptions {
  /** Works for an environment until the signal aborts. What it throws is told, and it is started again. */
  run(environment: Environment, signal: AbortSignal): Promise<void>;
  failed(environment: Environment, error: unknown): void;
  readonly clock: Clock;
  readonly random: Random;
}

/** Keeps one service running for each environment of a set that changes. */
export interface Supervisor {
  /** Starts for those that are new, stops for those that are not among them any more. */
  set(environments: readonly Environment[]): void;
  /** Stops all; resolves once they ended. */
  close(): Promise<void>;
}

interface Work {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

const BACKOFF = { firstMs: 1_000, mostMs: 60_000 };

export function supervisor(options: SupervisorOptions): Supervisor {
  const works = new Map<EnvName, Work>();
  let closed = false;

  function begin(environment: Environment) {
    const { name } = environment;
    // One that is still stopping ends first: two of the same would fight over its files.
    const before = works.get(name)?.done ?? Promise.resolve();
    const stop = new AbortController();
    const done = before
      .then(() => keepRunning(options, environment, stop.signal))
      .finally(() => {
        if (works.get(name) === work) works.delete(name);
      });
    const work = { stop, done };
    works.set(name, work);
  }
  function set(environments: readonly Environment[]) {
    const wanted = new Map(environments.map((environment) => [environment.name, environment]));
    for (const [name, { stop }] of works) if (!wanted.has(name)) stop.abort();
    for (const [name, environment] of wanted) {
      const work = works.get(name);
      if (!work || work.stop.signal.aborted) begin(environment);
    }
  }
  return {
    set(environments) {
      if (!closed) set(environments);
    },
    async close() {
      closed = true;
      set([]);
      await Promise.all([...works.values()].map(({ done }) => done));
    },
  };
}

async function keepRunning(
  { run, failed, clock, random }: SupervisorOptions,
  environment: Environment,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await run(environment, signal);
    } catch (error) {
      if (signal.aborted) return;
      failed(environment, error);
    }
    await clock.sleep(backoffMs(failures, BACKOFF, random), signal);
  }
}
