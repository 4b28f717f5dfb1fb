import { orphan } from "./deletion.ts";
import { type Engine, inBackground, plan, replace } from "./engine.ts";
import { isDependent, type Job } from "./job.ts";
import { closesCycle, parentsOf } from "./job-graph.ts";
import { load } from "./loader.ts";
import { dropTasks, newTask, submit } from "./queue.ts";
import { readJob } from "./read-job.ts";
import { killRuns } from "./runs.ts";
import { parseSchedule } from "./schedule.ts";
import { planJob } from "./schedule-job.ts";

/** Why a request is refused. An `illegal` message is Java's IllegalArgumentException in 3.x. */
export interface Refusal {
  status: 400 | 500;
  message: string;
  kind: "plain" | "illegal" | "exception";
}

/** Creates or replaces a job. @returns undefined when it is accepted, and then it is on disk. */
export async function writeJobInto(engine: Engine, job: Job): Promise<Refusal | undefined> {
  const old = engine.graph.get(job.name);
  const refusal = old === undefined ? refuseCreate(engine, job) : refuseUpdate(engine, job);
  if (refusal !== undefined) return refusal;
  if (old !== undefined) {
    replace(engine, job);
    planJob(engine, job.name);
  } else {
    engine.stored.set(job.name, job);
    if (!engine.profile.loadsLater) load(engine, job.name);
  }
  await engine.store.commit({ jobs: [job] });
  if (old === undefined && engine.profile.loadsLater)
    plan(engine, `load:${job.name}`, engine.clock.now() + engine.settings.loadDelayMs);
  return undefined;
}

/** Deletes a job, its runs and its history; its children go on as Chronos has it. */
export async function deleteJob(engine: Engine, name: string): Promise<Refusal | undefined> {
  const job = engine.graph.get(name);
  if (job === undefined) return unknownJob(name);
  const blank = readJob({ name }, { ...engine.settings.defaults, runAsUser: "" });
  const children = engine.graph.children(name).flatMap((child) => {
    const old = engine.graph.get(child);
    return old !== undefined && isDependent(old)
      ? [orphan(old, job, engine.profile.lostByOrphans, blank)]
      : [];
  });
  for (const child of children) replace(engine, child);
  killRuns(engine, name);
  const idle = [...(engine.tasksOf.get(name) ?? [])].filter((task) => task.state !== "running");
  dropTasks(engine, idle);
  engine.graph.remove(name);
  engine.stored.delete(name);
  engine.history.delete(name);
  for (const one of [name, ...children.map((child) => child.name)]) planJob(engine, one);
  await engine.store.commit({
    jobs: children,
    removedJobs: [name],
    removedTasks: idle.map((task) => task.id),
  });
  inBackground(engine, forgetWhenQuiet(engine, name));
  return undefined;
}

/** Queues a run of a job, now. */
export async function runNow(engine: Engine, name: string, args: string): Promise<Refusal | undefined> {
  const job = engine.graph.get(name);
  if (job === undefined) return unknownJob(name);
  const wish = {
    due: engine.clock.now(),
    arguments: args.trim(),
    consumes: engine.profile.manualRunConsumes,
  };
  await submit(engine, [newTask(engine, job, wish)], {});
  return undefined;
}

export function unknownJob(name: string): Refusal {
  return { status: 400, message: `Job '${name}' not found`, kind: "illegal" };
}

function refuseCreate(engine: Engine, job: Job): Refusal | undefined {
  const { profile } = engine;
  if (!profile.jobName.test(job.name))
    return illegal(`the job's name is invalid. Allowed names: '${profile.jobNameText}'`);
  if (!isDependent(job))
    return refuseSchedule(engine, job.schedule, job.scheduleTimeZone) ?? refuseSources(engine, job);
  if (job.parents.length === 0)
    return { status: 500, message: "Error, parent does not exist", kind: "exception" };
  if (!profile.loadsLater) return refuseParents(engine, job);
  // A real 3.x answers 204, then its next reload throws and the process exits, again after every restart.
  if (closesCycle(job, (name) => engine.stored.get(name)))
    return { status: 500, message: `a real Chronos server would crash: ${cycleText(job)}`, kind: "plain" };
  return undefined;
}

function refuseUpdate(engine: Engine, job: Job): Refusal | undefined {
  if (!isDependent(job)) {
    const readable = parseSchedule(job.schedule, job.scheduleTimeZone, engine.clock.now()) !== undefined;
    return readable ? undefined : badSchedule(job.schedule);
  }
  if (job.parents.length === 0) return illegal("Error, parent does not exist");
  return refuseParents(engine, job) ?? refuseCycle(engine, job);
}

function refuseParents(engine: Engine, job: Job): Refusal | undefined {
  const missing = parentsOf(job).some((parent) => engine.graph.get(parent) === undefined);
  return missing ? illegal(`JobSchedule ${job.name} does not have all parents defined!`) : undefined;
}

function refuseCycle(engine: Engine, job: Job): Refusal | undefined {
  if (!closesCycle(job, engine.graph.get)) return undefined;
  return { status: 500, message: cycleText(job), kind: "exception" };
}

function refuseSchedule(engine: Engine, schedule: string, timeZone: string): Refusal | undefined {
  const parsed = parseSchedule(schedule, timeZone, engine.clock.now());
  if (parsed === undefined) return badSchedule(schedule);
  if (!engine.profile.loadsLater || parsed.start.toMillis() >= 1000) return undefined;
  return plain(`Scheduled start date '${parsed.start.toISO()}' is before 1970-01-01T00:00:01Z`);
}

function refuseSources(engine: Engine, job: Job): Refusal | undefined {
  if (!engine.profile.loadsLater || job.uris.length === 0 || job.fetch.length === 0) return undefined;
  return plain(`Tried to add both uri (deprecated) and fetch parameters on ${job.name}`);
}

function badSchedule(schedule: string): Refusal {
  return plain(`Cannot parse schedule '${schedule}' (expected R[n]/start/period)`);
}

function cycleText(job: Job): string {
  return `the parents of job '${job.name}' form a cycle (${parentsOf(job).join(", ")})`;
}

function illegal(message: string): Refusal {
  return { status: 400, message, kind: "illegal" };
}

function plain(message: string): Refusal {
  return { status: 400, message, kind: "plain" };
}

/** Sandboxes go when nothing runs in them any more, unless the name has come to life again. */
async function forgetWhenQuiet(engine: Engine, name: string): Promise<void> {
  const running = [...(engine.tasksOf.get(name) ?? [])].flatMap(
    (task) => engine.runs.get(task.id)?.run?.done ?? [],
  );
  await Promise.all(running);
  if (!engine.stored.has(name)) await engine.executor.forget(name);
}
