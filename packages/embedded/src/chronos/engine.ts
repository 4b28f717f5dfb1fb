import type { Clock } from "@sluice/core";
import { type Agenda, agenda } from "./agenda.ts";
import type { Executor, Run, RunOutcome } from "./executor.ts";
import type { Job } from "./job.ts";
import { addTo, type JobGraph, jobGraph } from "./job-graph.ts";
import type { RetryPolicy } from "./outcome.ts";
import type { Profile } from "./profile.ts";
import type { JobDefaults } from "./read-job.ts";
import type { Store } from "./store.ts";
import type { Task, TaskStat } from "./task.ts";

/** Something worth telling a person. Names only; never a command or a variable, which may hold secrets. */
export type ChronosEvent =
  | { type: "run-started" | "run-finished" | "run-killed"; job: string; task: string }
  | { type: "run-failed"; job: string; task: string; reason: string }
  | { type: "run-dropped"; job: string; task: string; reason: DropReason }
  | { type: "internal-error"; reason: string };

/** Why a queued run never starts. */
export type DropReason = "deleted" | "disabled" | "already-running";

export interface EngineSettings extends RetryPolicy {
  /** Runs at the same time; more are queued. */
  maxRunning: number;
  /** Runs of a job that history and sandboxes keep. */
  historyLimit: number;
  /** Milliseconds from an acknowledged create until the loader shows the job (3.x). */
  loadDelayMs: number;
  defaults: JobDefaults;
}

export interface EngineParts {
  profile: Profile;
  clock: Clock;
  store: Store;
  executor: Executor;
  settings: EngineSettings;
  log: (event: ChronosEvent) => void;
}

/** A run in progress. */
export interface ActiveRun {
  run?: Run;
  /** What somebody said of how an `async` run ended. */
  reported?: RunOutcome;
  /** Ends the wait of an `async` run, whose process has ended, for that. */
  settled?: () => void;
  /** Set when somebody ended it, which then outweighs how the process ended. */
  ended?: RunOutcome | { state: "killed" };
}

/** The whole state of one Chronos; the functions of `writes`, `runs` and `loop` work on it. */
export interface Engine extends EngineParts {
  /** Every job on disk; in 3.x more than the graph: created a moment ago, or short of a parent. */
  stored: Map<string, Job>;
  graph: JobGraph;
  /** Missing parent → stored jobs that wait for it. */
  waiting: Map<string, Set<string>>;
  tasks: Map<string, Task>;
  tasksOf: Map<string, Set<Task>>;
  runs: Map<string, ActiveRun>;
  queues: { high: Task[]; normal: Task[] };
  /** Newest first. */
  history: Map<string, TaskStat[]>;
  agenda: Agenda;
  /** When the loop wakes by itself. */
  wakesAt: number;
  wake: () => void;
  /** Work nobody awaits; `stop` does. */
  background: Set<Promise<void>>;
  stopping: boolean;
}

export function engine(parts: EngineParts): Engine {
  return {
    ...parts,
    stored: new Map(),
    graph: jobGraph(),
    waiting: new Map(),
    tasks: new Map(),
    tasksOf: new Map(),
    runs: new Map(),
    queues: { high: [], normal: [] },
    history: new Map(),
    agenda: agenda(),
    wakesAt: Number.NEGATIVE_INFINITY,
    wake: () => undefined,
    background: new Set(),
    stopping: false,
  };
}

/** Sets when a key is looked at (see `loop`) and wakes the loop if that is sooner than it would wake. */
export function plan(engine: Engine, key: string, at: number | undefined): void {
  engine.agenda.set(key, at);
  if (at !== undefined && at < engine.wakesAt) engine.wake();
}

/** Lets work go on by itself; its failure is logged. */
export function inBackground(engine: Engine, work: Promise<void>): void {
  const tracked = work
    .catch((error: unknown) =>
      engine.log({ type: "internal-error", reason: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => engine.background.delete(tracked));
  engine.background.add(tracked);
}

/** Replaces a job that the graph shows, in memory. */
export function replace(engine: Engine, job: Job): void {
  engine.stored.set(job.name, job);
  engine.graph.put(job);
}

export function addTask(engine: Engine, task: Task): void {
  engine.tasks.set(task.id, task);
  addTo(engine.tasksOf, task.job, task);
}

export function removeTask(engine: Engine, task: Task): void {
  engine.tasks.delete(task.id);
  engine.runs.delete(task.id);
  engine.agenda.set(`task:${task.id}`, undefined);
  engine.agenda.set(`limit:${task.id}`, undefined);
  const others = engine.tasksOf.get(task.job);
  others?.delete(task);
  if (others?.size === 0) engine.tasksOf.delete(task.job);
}
