/** One attempt to run a job, from the moment it is queued until it has ended. Kept on disk, so plain data. */
export interface Task {
  id: string;
  job: string;
  /** Milliseconds since the epoch. */
  due: number;
  /** 0 is the first. */
  attempt: number;
  /** Given with "run now"; appended to the command. */
  arguments: string;
  highPriority: boolean;
  /** `waiting` for its time (a retry), `queued` for a free place, `running`. */
  state: "waiting" | "queued" | "running";
  /** Whether its start uses up a repetition of the job's schedule: "run now" in 3.x. */
  consumes: boolean;
  startedAt?: number;
}

/** How a task ended, as `/job/stat/{name}` tells it. */
export interface TaskStat {
  taskId: string;
  attempt: number;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt?: number;
  status: "Success" | "Fail" | "Running";
  /** Why it failed or was killed. */
  message?: string;
  /** What a data processing job said it has done so far. */
  elements?: number;
}

/** The job of a task, undefined when the id is not spelled as one. */
export function jobOfTask(id: string): string | undefined {
  return /^ct:\d+:\d+:([^:]+):/.exec(id)?.[1];
}

/** `ct:<due epoch ms>:<attempt>:<job>:<arguments>`, as Chronos names its Mesos tasks. */
export function taskId(task: Pick<Task, "due" | "attempt" | "job" | "arguments">): string {
  return `ct:${task.due}:${task.attempt}:${task.job}:${task.arguments}`;
}
