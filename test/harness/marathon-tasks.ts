/** A running task, as Marathon tells it. */
export interface RunningTask {
  readonly id: string;
  readonly url: string;
}

/** The running tasks of an app, by id. `marathon` is the scheduler's address. */
export async function runningTasks(marathon: string, app: string): Promise<readonly RunningTask[]> {
  const answer = await fetch(`${marathon}/v2/apps/${app}/tasks`, { signal: AbortSignal.timeout(10_000) });
  if (answer.status === 404) return [];
  const { tasks } = (await answer.json()) as {
    tasks: { id: string; host: string; ports: number[]; state: string }[];
  };
  return tasks
    .filter((task) => task.state === "TASK_RUNNING")
    .map((task) => ({ id: task.id, url: `http://${task.host}:${task.ports[0]}/` }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
