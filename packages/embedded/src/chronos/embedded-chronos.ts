import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "@sluice/core";
import type { Faults } from "../faults/faults.ts";
import { claimFolder } from "../process/data-folder.ts";
import { type ProcessRunner, processRunner } from "../process/process-runner.ts";
import { type ChronosEvent, type Engine, type EngineSettings, engine } from "./engine.ts";
import { type Executor, type Simulation, simulatedExecutor } from "./executor.ts";
import { loop } from "./loop.ts";
import { processExecutor } from "./process-executor.ts";
import { type ProfileName, profileNamed } from "./profile.ts";
import { recover } from "./recover.ts";
import { server } from "./server.ts";
import { store } from "./store.ts";

export interface EmbeddedChronosOptions {
  /** Folder for the jobs, the sandboxes and, without `runner`, the ledger of processes. Created when absent. */
  dataDir: string;
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default 0: any free port. A real Chronos listens on 4400. */
  port?: number;
  /** Default: one of our own. One that is passed in is shared; only our processes are stopped. */
  runner?: ProcessRunner;
  clock?: Clock;
  /** Which generation of the API; default `3.x`. */
  profile?: ProfileName;
  /** `process` runs commands on this machine (default); `simulated` runs nothing and lets `simulate` decide. */
  execution?: "process" | "simulated";
  simulate?: Simulation;
  /** What every run's environment starts from; default: this process's PATH, HOME and LANG. */
  environment?: Record<string, string>;
  /** Milliseconds between SIGTERM and SIGKILL; default 3000. */
  killGraceMs?: number;
  settings?: Partial<EngineSettings>;
  /** Faults that a test chooses; default: none. */
  faults?: Faults;
  log?: (event: ChronosEvent) => void;
}

export interface EmbeddedChronos {
  /** `http://host:port` */
  address: string;
  port: number;
  /** Stops the server and every run; resolves when all is on disk and no child process is left. */
  stop(): Promise<void>;
}

/**
 * A Chronos on this machine that speaks the real HTTP API. What it has acknowledged survives a kill of the process;
 * runs it was killed in are counted as failed, and so retried, at the next start.
 * @throws an Error with one sentence when the data folder cannot be used or the port is taken.
 */
export async function embeddedChronos(options: EmbeddedChronosOptions): Promise<EmbeddedChronos> {
  const host = options.host ?? "127.0.0.1";
  const release = await claim(options.dataDir);
  const chronos = await engineFor(options).catch(async (error: unknown) => {
    await release();
    throw error;
  });
  const bound = { port: options.port ?? 0 };
  const app = server(chronos, () => `${host}:${bound.port}`, options.faults);
  recover(chronos);
  try {
    await app.listen({ host, port: bound.port });
  } catch (error) {
    await quiesce(chronos);
    await release();
    throw listenFailure(error, host, bound.port);
  }
  const address = app.server.address();
  if (typeof address === "object" && address !== null) bound.port = address.port;
  const stopping = new AbortController();
  const looping = loop(chronos, stopping.signal);
  let stopped: Promise<void> | undefined;

  async function stop(): Promise<void> {
    chronos.stopping = true;
    stopping.abort();
    await Promise.all([app.close(), looping]);
    await quiesce(chronos);
    await release();
  }

  return {
    address: `http://${host.includes(":") ? `[${host}]` : host}:${bound.port}`,
    port: bound.port,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

async function claim(dataDir: string): Promise<() => Promise<void>> {
  try {
    return await claimFolder(dataDir);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Chronos cannot start: ${reason}`, { cause });
  }
}

async function engineFor(options: EmbeddedChronosOptions): Promise<Engine> {
  const clock = options.clock ?? systemClock;
  const profile = profileNamed(options.profile ?? "3.x");
  const settings = { ...defaultSettings(), ...options.settings };
  // Nothing real depends on a simulated server, so it need not outlive a loss of power.
  const disk = store(options.dataDir, options.execution !== "simulated");
  try {
    const executor = await executorFor(options, clock);
    return engine({ profile, clock, store: disk, executor, settings, log: options.log ?? (() => undefined) });
  } catch (error) {
    await disk.close();
    throw error;
  }
}

/** Ends every run, then waits for what is still being written. */
async function quiesce(chronos: Engine): Promise<void> {
  chronos.stopping = true;
  for (const active of chronos.runs.values()) active.settled?.();
  await Promise.all([...chronos.runs.values()].map((active) => active.run?.kill()));
  while (chronos.background.size > 0) await Promise.all(chronos.background);
  await chronos.store.close();
}

async function executorFor(options: EmbeddedChronosOptions, clock: Clock): Promise<Executor> {
  if (options.execution === "simulated") return simulatedExecutor(clock, options.simulate);
  const runner = options.runner ?? processRunner({ dataDir: options.dataDir, clock });
  await runner.recover();
  return processExecutor({
    runner,
    sandboxes: join(options.dataDir, "sandboxes"),
    environment: { base: options.environment ?? minimalEnvironment(), host: hostname() },
    killGraceMs: options.killGraceMs ?? 3000,
  });
}

/** Names follow the flags of a real Chronos, and so do the values. */
function defaultSettings(): EngineSettings {
  return {
    failureRetryMs: 60_000,
    disableAfterFailures: 0,
    maxRunning: 64,
    historyLimit: 20,
    loadDelayMs: 5,
    defaults: { cpus: 0.1, mem: 128, disk: 256, runAsUser: userName(), epsilon: "PT5M" },
  };
}

function minimalEnvironment(): Record<string, string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin", HOME = "/", LANG = "C.UTF-8" } = process.env;
  return { PATH, HOME, LANG };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under an id that has no name.
    return "root";
  }
}

function listenFailure(error: unknown, host: string, port: number): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === "EADDRINUSE" ? "the port is taken" : message;
  return new Error(`Chronos cannot listen on ${host}:${port}: ${reason}`, { cause: error });
}
