import type { Job } from "./job.ts";
import type { Task } from "./task.ts";

/**
 * What to run for a job: `/bin/sh -c command`, or with `shell: false` the command and its arguments. Arguments
 * given with "run now" are appended to the command, as Chronos does.
 */
export function argvOf(job: Job, task: Task): [string, ...string[]] {
  const command = task.arguments === "" ? job.command : `${job.command} ${task.arguments}`;
  return job.shell ? ["/bin/sh", "-c", command] : [command, ...job.arguments];
}

export interface TaskEnvironment {
  /** What every run gets: PATH, HOME, LANG. */
  base: Record<string, string>;
  /** Name of this machine as the job sees it. */
  host: string;
  /** Working folder of the run. */
  sandbox: string;
}

/** The environment of a run. A job's variables override the base, but not those that Chronos and Mesos set. */
export function environmentOf(
  job: Job,
  task: Task,
  { base, host, sandbox }: TaskEnvironment,
): Record<string, string> {
  return {
    ...base,
    ...Object.fromEntries(job.environmentVariables.map(({ name, value }) => [name, value])),
    mesos_task_id: task.id,
    CHRONOS_JOB_OWNER: job.owner,
    CHRONOS_JOB_NAME: job.name,
    HOST: host,
    CHRONOS_RESOURCE_MEM: String(job.mem),
    CHRONOS_RESOURCE_CPU: String(job.cpus),
    CHRONOS_RESOURCE_DISK: String(job.disk),
    CHRONOS_JOB_RUN_TIME: String(task.due),
    CHRONOS_JOB_RUN_ATTEMPT: String(task.attempt),
    MESOS_SANDBOX: sandbox,
  };
}

/** Why a job cannot run as a local process; undefined when it can. */
export function whyNotRunnable(job: Job): string | undefined {
  if (job.executor !== "")
    return `the embedded Chronos has no Mesos executor "${job.executor}"; it runs commands`;
  if (job.command.trim() !== "") return undefined;
  if (job.container === undefined) return "the job has no command";
  return `the job has no command, and the embedded Chronos does not run the container image ${String(job.container.image)}`;
}
