import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpuMs } from "./mirror-engine.ts";

const CHILD = fileURLToPath(new URL("./deployer-marathon-child.ts", import.meta.url));

/** The embedded Marathon in a process of its own, whose apps are healthy as soon as they are there. */
export interface SimulatedMarathon {
  readonly address: string;
  /** CPU milliseconds it has used. */
  cpuMs(): number;
  stop(): Promise<void>;
}

export async function simulatedMarathon(): Promise<SimulatedMarathon> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-marathon-"));
  const child = spawn(process.execPath, ["--conditions=source", "--import", "tsx", CHILD, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  const first = await Promise.race([once(child.stdout, "data"), exit.then(() => undefined)]);
  if (!first) throw new Error("the embedded Marathon did not start");
  return {
    address: String(first[0]).trim(),
    cpuMs: () => cpuMs(child.pid as number),
    async stop() {
      // It has nothing worth keeping.
      child.kill("SIGKILL");
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
