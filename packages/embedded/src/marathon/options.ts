import type { Clock } from "@sluice/core";
import type { Faults } from "../faults/faults.ts";
import type { ProcessRunner } from "../process/process-runner.ts";
import type { ProfileName } from "./profiles.ts";
import type { Capacity } from "./tasks/resources.ts";
import type { Simulation } from "./tasks/simulated-backend.ts";

export interface EmbeddedMarathonOptions {
  /** Folder for apps, deployments, sandboxes and the ledger of processes; created when missing. One server per folder. */
  dataDir: string;
  /**
   * Whether an acknowledged write also survives a loss of power; a kill of this process it survives in any case.
   * Default: unless the execution is simulated.
   */
  durable?: boolean;
  /** Where to listen, and the host name of tasks. Default 127.0.0.1. */
  host?: string;
  /** 0, the default: any free one. */
  port?: number;
  /** Marathon version to speak as. Default 1.10.x. */
  profile?: ProfileName;
  /** Starts the tasks' processes; default: one of its own with its ledger in `dataDir`. */
  runner?: ProcessRunner;
  clock?: Clock;
  /** Faults that a test chooses; default: none. */
  faults?: Faults;
  /**
   * `process` (default): `cmd` and `args` run as local processes. `simulated`: nothing runs; tasks are running and healthy
   * `startDelayMs` (default 0) after their launch.
   */
  execution?: "process" | "simulated";
  startDelayMs?: number;
  /** What becomes of each simulated task, where that is to be another fate. */
  simulate?: Simulation;
  /**
   * Delay of an instance's first health probe, and, growing by a tenth each time, of those that follow until the first
   * success within the grace period. Default 100 ms, so that a deployment ends as soon as its tasks answer; Marathon itself
   * waits min(interval, 5 s), as does `Infinity` here. Failures do not count in that time in either.
   */
  firstProbeDelayMs?: number;
  /** What the machine offers to tasks; default: no limit. */
  capacity?: Capacity;
  /** Ports given to tasks. Default 31000 to 32000. */
  taskPorts?: readonly [number, number];
  /** Service ports given to apps. Default 10000 to 20000. */
  servicePorts?: readonly [number, number];
  /** Environment that every task gets before Marathon's variables. Default: PATH, HOME and LANG of this process. */
  taskEnv?: Record<string, string>;
  /** How long nobody leads after `DELETE /v2/leader`. Default 500. */
  electionMs?: number;
  /** Default 100. */
  maxRunningDeployments?: number;
  /** What `stop` gives every task between SIGTERM and SIGKILL. Default 3 s. */
  stopGraceMs?: number;
}
