import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BIN, COMMAND_ENV, collect, type Printed } from "../harness/engine.ts";
import { peakMib } from "../harness/peak-memory.ts";

const MAKE_BUNDLE = fileURLToPath(new URL("../../packages/app/make-bundle.js", import.meta.url));

/** Makes the bundle of what was built: it is what a user's `sluice` runs. */
export async function bundleProgram(): Promise<void> {
  await promisify(execFile)(process.execPath, [MAKE_BUNDLE]);
}

/** `sluice up ROLE` in a process of its own. */
export interface EngineProcess {
  /** When it was spawned, by the monotonic clock. */
  readonly startedAt: number;
  readonly printed: Printed;
  /** CPU milliseconds of the process and of the children it has waited for. */
  cpuMs(): number;
  /** The most memory it ever had resident, in MiB. */
  peakMib(): number;
  stop(): Promise<void>;
}

export interface EngineProcessOptions {
  readonly roles: readonly string[];
  readonly config: object;
}

export async function startProcess({ roles, config }: EngineProcessOptions): Promise<EngineProcess> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-engine-"));
  await writeFile(join(folder, "sluice.yaml"), JSON.stringify(config));
  const startedAt = performance.now();
  const child = spawn(process.execPath, [BIN, "up", ...roles, "--log", "json"], {
    cwd: folder,
    env: COMMAND_ENV,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return {
    startedAt,
    printed: collect(child),
    cpuMs: () => cpuMs(child.pid as number),
    peakMib: () => peakMib(child.pid as number),
    async stop() {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What `sluice.yaml` says for a mirror of one repository in one Consul. */
export function mirrorConfig(options: {
  readonly consul: string;
  readonly prefix: string;
  readonly repository: string;
  readonly interval?: string;
}): object {
  const { consul, prefix, repository, interval = "30s" } = options;
  return {
    prefix,
    consul: { address: consul },
    lock: { ttl: "10s", delay: "1ms" },
    environments: { bench: { source: { repository, interval } } },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGINT");
  await exit;
}

/** Linux counts in hundredths of a second: user, system, and both of the children that were waited for. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}
