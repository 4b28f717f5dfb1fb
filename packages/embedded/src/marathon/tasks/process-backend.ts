import { chmod, copyFile, mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PortPool } from "../../process/free-ports.ts";
import type { Exit, LocalProcess, ProcessRunner } from "../../process/process-runner.ts";
import type { Fetch } from "../model.ts";
import { environmentOf } from "./environment.ts";
import type { Instance, RunningTask, TaskBackend, TaskEnd } from "./instance.ts";
import { type Program, programsOf } from "./programs.ts";
import { hostPortsWanted } from "./resources.ts";

export interface ProcessBackendOptions {
  runner: ProcessRunner;
  ports: PortPool;
  host: string;
  /** Folder of the sandboxes, see `sandboxOf`. */
  sandboxes: string;
  /** See `environmentOf`. */
  baseEnv: Record<string, string>;
}

/** Sandboxes of ended tasks that are kept per app, for their logs. */
const KEPT_SANDBOXES = 5;

/** A task's folder with its `stdout`, `stderr` and what it writes: `<folder>/<app id joined by _>/<task id>`. */
export function sandboxOf(folder: string, taskId: string): string {
  return join(folder, taskId.split(".instance-")[0] ?? "", taskId);
}

/** Runs an app's `cmd` or `args`, or the commands of a pod's containers, as local processes. An image is not run: what has only one waits for ever. */
export function processBackend(options: ProcessBackendOptions): TaskBackend {
  const live = new Set<string>();
  return {
    refusal: (app) => (programsOf(app) ? undefined : "NoContainerRuntime"),
    async start(instance) {
      const programs = programsOf(instance.app);
      if (!programs) throw new Error("The app has no command");
      const wanted = hostPortsWanted(instance.app).filter((port): port is number => port !== undefined);
      const taken = await options.ports.take(wanted.filter((port) => port === 0).length);
      const rest = [...taken];
      instance.ports = wanted.map((port) => port || rest.shift() || 0);
      try {
        live.add(instance.taskId);
        const task = await launch(options, instance, programs);
        const exited = task.exited.then(async (end) => {
          live.delete(instance.taskId);
          options.ports.release(taken);
          await dropOldSandboxes(dirname(sandboxOf(options.sandboxes, instance.taskId)), live);
          return end;
        });
        return { ...task, exited };
      } catch (error) {
        live.delete(instance.taskId);
        options.ports.release(taken);
        throw error;
      }
    },
  };
}

async function launch(
  options: ProcessBackendOptions,
  instance: Instance,
  programs: readonly Program[],
): Promise<RunningTask> {
  const sandbox = sandboxOf(options.sandboxes, instance.taskId);
  await mkdir(sandbox, { recursive: true });
  for (const one of instance.app.fetch ?? []) await fetchInto(sandbox, one);
  const started: LocalProcess[] = [];
  const stopAll = async (graceMs: number) => {
    await Promise.all(started.map((process) => process.stop(graceMs)));
  };
  try {
    for (const program of programs) started.push(await run(options, instance, program));
  } catch (error) {
    await stopAll(0);
    throw error;
  }
  const first = Promise.race(started.map((process) => process.exited));
  return {
    // The containers of a pod live and die together.
    exited: first.then(async (exit) => {
      if (started.length > 1) await stopAll(0);
      return endOf(exit);
    }),
    stop: stopAll,
  };
}

async function run(
  options: ProcessBackendOptions,
  instance: Instance,
  { argv, folder, env }: Program,
): Promise<LocalProcess> {
  const sandbox = join(sandboxOf(options.sandboxes, instance.taskId), folder);
  await mkdir(sandbox, { recursive: true });
  const { baseEnv: base, host } = options;
  return options.runner.launch({
    argv,
    cwd: sandbox,
    env: { ...environmentOf(instance, { base, host, sandbox }), ...env(instance) },
    stdoutFile: join(sandbox, "stdout"),
    stderrFile: join(sandbox, "stderr"),
  });
}

/** In the words of Mesos' command executor. */
function endOf({ code, signal }: Exit): TaskEnd {
  if (code === 0) return { state: "TASK_FINISHED", message: "Command exited with status 0" };
  const how = signal === null ? `exited with status ${code}` : `terminated with signal ${signal}`;
  return { state: "TASK_FAILED", message: `Command ${how}` };
}

async function fetchInto(sandbox: string, { uri, executable, destPath }: Fetch): Promise<void> {
  const file = uri.startsWith("file://") ? fileURLToPath(uri) : uri;
  if (!file.startsWith("/"))
    throw new Error(`Failed to fetch ${uri}: only files of this machine can be fetched`);
  const target = join(sandbox, destPath ?? basename(file));
  if (!target.startsWith(`${sandbox}/`))
    throw new Error(`Failed to fetch ${uri}: its place is outside the sandbox`);
  try {
    await copyFile(file, target);
    if (executable) await chmod(target, 0o755);
  } catch (error) {
    throw new Error(`Failed to fetch ${uri}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

/** Keeps the newest few of an app's sandboxes besides those of its running tasks. */
async function dropOldSandboxes(folder: string, live: ReadonlySet<string>): Promise<void> {
  try {
    const ended = (await readdir(folder)).filter((name) => !live.has(name));
    if (ended.length <= KEPT_SANDBOXES) return;
    const aged = await Promise.all(
      ended.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
    );
    aged.sort((a, b) => b.at - a.at);
    const old = aged.slice(KEPT_SANDBOXES);
    await Promise.all(old.map(({ name }) => rm(join(folder, name), { recursive: true, force: true })));
  } catch {
    // Tidying up is no reason for a task to fail.
  }
}
