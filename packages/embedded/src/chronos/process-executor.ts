import { cp, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Exit, ProcessRunner } from "../process/process-runner.ts";
import type { Executor, RunOutcome, RunRequest } from "./executor.ts";
import type { Job } from "./job.ts";
import { argvOf, environmentOf, type TaskEnvironment, whyNotRunnable } from "./task-command.ts";

export interface ProcessExecutorOptions {
  runner: Pick<ProcessRunner, "launch">;
  /** Holds a folder per run, with `stdout` and `stderr` and whatever the command writes. */
  sandboxes: string;
  environment: Omit<TaskEnvironment, "sandbox">;
  /** Milliseconds between SIGTERM and SIGKILL; Mesos' default is 3000. */
  killGraceMs: number;
}

/** Runs each task as a process group of its own. */
export function processExecutor(options: ProcessExecutorOptions): Executor {
  return {
    start(request) {
      const killed = new AbortController();
      const done = run(request, options, killed.signal).catch(failure);
      return {
        done,
        async kill() {
          killed.abort();
          await done;
        },
      };
    },
    async forget(job, taskId) {
      await rm(sandboxOf(options.sandboxes, job, taskId), { recursive: true, force: true });
    },
  };
}

async function run(
  { task, job }: RunRequest,
  options: ProcessExecutorOptions,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const refusal = whyNotRunnable(job);
  if (refusal !== undefined) return { state: "failed", message: refusal };
  const sandbox = sandboxOf(options.sandboxes, job.name, task.id);
  await mkdir(sandbox, { recursive: true });
  await fetchInto(sandbox, job);
  if (signal.aborted) return { state: "failed", message: "killed before it started" };
  const child = await options.runner.launch({
    argv: argvOf(job, task),
    cwd: sandbox,
    env: environmentOf(job, task, { ...options.environment, sandbox }),
    stdoutFile: join(sandbox, "stdout"),
    stderrFile: join(sandbox, "stderr"),
  });
  const aborted = new Promise<"aborted">((resolve) => {
    if (signal.aborted) resolve("aborted");
    else signal.addEventListener("abort", () => resolve("aborted"), { once: true });
  });
  const first = await Promise.race([child.exited, aborted]);
  return outcomeOf(first === "aborted" ? await child.stop(options.killGraceMs) : first);
}

function outcomeOf({ code, signal }: Exit): RunOutcome {
  if (code === 0) return { state: "finished" };
  const how = signal === null ? `exited with status ${code}` : `terminated with signal ${signal}`;
  return { state: "failed", message: `Command ${how}` };
}

function failure(error: unknown): RunOutcome {
  return { state: "failed", message: error instanceof Error ? error.message : String(error) };
}

/** Copies local files into the sandbox; what lies elsewhere fails the run, as a failed Mesos fetch does. */
async function fetchInto(sandbox: string, job: Job): Promise<void> {
  for (const { uri, output_file: target } of [
    ...job.fetch,
    ...job.uris.map((uri) => ({ uri, output_file: undefined })),
  ]) {
    if (!uri.startsWith("/") && !uri.startsWith("file://"))
      throw new Error(`Cannot fetch ${withoutPassword(uri)}: the embedded Chronos fetches local files only`);
    const from = uri.startsWith("/") ? uri : fileURLToPath(uri);
    await cp(from, join(sandbox, basename(target ?? from)), { recursive: true }).catch(
      (cause: NodeJS.ErrnoException) => {
        throw new Error(`Cannot fetch ${uri}: ${cause.code ?? cause.message}`, { cause });
      },
    );
  }
}

function withoutPassword(uri: string): string {
  return uri.replace(/\/\/[^/@]*@/, "//").replace(/\?.*$/s, "");
}

/** Names may hold blanks, dots and `#` (2.x): encoded, so that no name leads out of the folder. */
function sandboxOf(sandboxes: string, job: string, taskId?: string): string {
  return join(sandboxes, folderName(job), ...(taskId === undefined ? [] : [folderName(taskId)]));
}

function folderName(text: string): string {
  return text.replace(/[^\w:-]/g, (char) => `=${char.codePointAt(0)?.toString(16)}`).slice(0, 200);
}
