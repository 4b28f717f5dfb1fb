import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "lmdb";
import type { Job } from "./job.ts";
import type { Task, TaskStat } from "./task.ts";

/** What one acknowledged step changes; all of it reaches the disk or none. */
export interface Changes {
  jobs?: readonly Job[];
  removedJobs?: readonly string[];
  tasks?: readonly Task[];
  removedTasks?: readonly string[];
  history?: readonly { job: string; stats: readonly TaskStat[] }[];
  /** Runs of each parent since a dependent job last started; an empty record is forgotten. */
  counts?: readonly { job: string; runs: Record<string, number> }[];
}

export interface Snapshot {
  jobs: Job[];
  tasks: Task[];
  history: Map<string, TaskStat[]>;
  counts: Map<string, Record<string, number>>;
}

export interface Store {
  read(): Snapshot;
  /** Resolves when the changes survive a kill of this process. The cost is that of the changes, not of the store. */
  commit(changes: Changes): Promise<void>;
  /** Waits for what is being written; a commit after that is refused. */
  close(): Promise<void>;
}

interface Named<T> {
  name: string;
  value: T;
}

/**
 * One record per job in `<dataDir>/jobs.lmdb`.
 * @param durable whether a commit outlives a loss of power; a kill of this process it outlives in any case.
 * @throws an Error with one sentence when the folder cannot be used.
 */
export function store(dataDir: string, durable = true): Store {
  const root = openIn(dataDir, durable);
  const jobs = root.openDB<Job, string>({ name: "jobs" });
  const tasks = root.openDB<Task, string>({ name: "tasks" });
  const history = root.openDB<Named<readonly TaskStat[]>, string>({ name: "history" });
  const counts = root.openDB<Named<Record<string, number>>, string>({ name: "counts" });

  const writing = new Set<Promise<unknown>>();
  let closed = false;

  function apply(changes: Changes): void {
    for (const job of changes.jobs ?? []) void jobs.put(keyOf(job.name), job);
    for (const task of changes.tasks ?? []) void tasks.put(keyOf(task.id), task);
    for (const id of changes.removedTasks ?? []) void tasks.remove(keyOf(id));
    for (const { job, stats } of changes.history ?? [])
      void history.put(keyOf(job), { name: job, value: stats });
    for (const { job, runs } of changes.counts ?? []) void counts.put(keyOf(job), { name: job, value: runs });
    for (const name of changes.removedJobs ?? [])
      for (const db of [jobs, history, counts]) void db.remove(keyOf(name));
  }

  return {
    read: () => ({
      jobs: [...jobs.getRange()].map((entry) => entry.value),
      tasks: [...tasks.getRange()].map((entry) => entry.value),
      history: new Map([...history.getRange()].map(({ value }) => [value.name, [...value.value]])),
      counts: new Map([...counts.getRange()].map(({ value }) => [value.name, value.value])),
    }),
    async commit(changes) {
      if (closed) throw new Error("Chronos is stopping and writes nothing any more");
      const written = root.transaction(() => apply(changes)).finally(() => writing.delete(written));
      writing.add(written);
      await written;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.allSettled(writing);
      await root.close();
    },
  };
}

function openIn(dataDir: string, durable: boolean) {
  try {
    mkdirSync(dataDir, { recursive: true });
    return open({ path: join(dataDir, "jobs.lmdb"), maxDbs: 4, noSync: !durable });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Chronos cannot use its data folder ${dataDir}: ${reason}`, { cause });
  }
}

/** LMDB keys are short (under 2 KB), names and arguments need not be. */
function keyOf(name: string): string {
  return Buffer.byteLength(name) <= 500 ? name : `sha256:${createHash("sha256").update(name).digest("hex")}`;
}
