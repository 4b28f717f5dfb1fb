import type { Clock } from "@sluice/core";
import type { Job } from "./job.ts";
import type { Task } from "./task.ts";

/** How a run ended by itself. */
export type RunOutcome = { state: "finished" } | { state: "failed"; message: string };

export interface Run {
  /** Never rejects. */
  done: Promise<RunOutcome>;
  /** Ends the run; resolves when nothing of it is left. */
  kill(): Promise<void>;
}

export interface RunRequest {
  task: Task;
  /** As it was when the run started. */
  job: Job;
}

/** Where runs take place. */
export interface Executor {
  start(request: RunRequest): Run;
  /** Throws away what one run of a job, or all of them, left behind: the sandboxes. */
  forget(job: string, taskId?: string): Promise<void>;
}

/** What a simulated run does: it takes `durationMs`, then ends. */
export type Simulation = (request: RunRequest) => { durationMs: number; outcome: RunOutcome };

/** Runs nothing; by default every run succeeds at once. */
export function simulatedExecutor(
  clock: Clock,
  simulate: Simulation = () => ({ durationMs: 0, outcome: { state: "finished" } }),
): Executor {
  return {
    start(request) {
      const { durationMs, outcome } = simulate(request);
      const killed = new AbortController();
      const done = clock
        .sleep(durationMs, killed.signal)
        .then((): RunOutcome => (killed.signal.aborted ? { state: "failed", message: "killed" } : outcome));
      return {
        done,
        async kill() {
          killed.abort();
          await done;
        },
      };
    },
    forget: () => Promise.resolve(),
  };
}
