import {
  type JobKey,
  type Kv,
  type KvEntry,
  SluiceError,
  splitJobKey,
  suggest,
  type TargetName,
} from "@sluice/core";
import { encodeSuspension, readSuspension, type Suspension, type SuspensionNote } from "@sluice/deployer";
import type { Environment } from "../../engine/environment.ts";

/** What is meant: a job, a target, or with neither the environment. */
export interface SuspensionScope {
  readonly target?: string | undefined;
  readonly job?: string | undefined;
  /** Of a resumption: whatever is suspended. */
  readonly all?: boolean | undefined;
}

/** One thing that is suspended, as the API tells it. Who, why and since when are unknown where it was done by hand. */
export interface SuspendedView {
  readonly what: "environment" | "target" | "job";
  readonly name: string;
  readonly by: string | undefined;
  readonly why: string | undefined;
  readonly since: string | undefined;
}

const ATTEMPTS = 10;

/** Everything that a person suspended, the widest first. @throws KV_RECORD_INVALID */
export function suspendedViews({ name }: Environment, entry: KvEntry | undefined): readonly SuspendedView[] {
  const { environment, targets, jobs, notes } = readSuspension(entry);
  const view = (what: SuspendedView["what"], one: string, note: SuspensionNote | undefined) => ({
    ...{ what, name: one, by: note?.by, why: note?.why, since: note?.at },
  });
  return [
    ...(environment ? [view("environment", name, notes.get(""))] : []),
    ...[...targets].map((one) => view("target", one, notes.get(one))),
    ...[...jobs].map((one) => view("job", one, notes.get(one))),
  ];
}

/** Changes the record, however many others do so at the same time. @returns what is suspended then. */
export async function changeSuspension(
  kv: Kv,
  environment: Environment,
  change: (now: Suspension) => Suspension,
): Promise<readonly SuspendedView[]> {
  const key = environment.layout.control("suspend");
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = await kv.get(key);
    const value = encodeSuspension(change(readSuspension(entry)));
    const index = entry?.modifyIndex ?? "0";
    const done = await kv.commit([{ verb: "cas", key, value, index }]);
    if (done.applied) return suspendedViews(environment, await kv.get(key));
  }
  throw new SluiceError("KV_UNREACHABLE", `others keep changing ${key}; try again`);
}

/** The record with one thing more suspended; what is suspended already gets the new note. */
export function suspending(
  now: Suspension,
  { target, job }: SuspensionScope,
  note: SuspensionNote,
): Suspension {
  const notes = new Map(now.notes).set(job ?? target ?? "", note);
  if (job !== undefined) return { ...now, notes, jobs: new Set([...now.jobs, job as JobKey]) };
  if (target !== undefined)
    return { ...now, notes, targets: new Set([...now.targets, target as TargetName]) };
  return { ...now, notes, environment: true };
}

/** @throws USAGE where that is not suspended itself, naming what is. */
export function resuming(now: Suspension, { target, job, all }: SuspensionScope): Suspension {
  if (all) return { environment: false, targets: new Set(), jobs: new Set(), notes: new Map() };
  const has = job !== undefined ? now.jobs.has(job as JobKey) : suspendsWidely(now, target);
  if (!has) throw new SluiceError("USAGE", notSuspended(now, { target, job }));
  const notes = new Map(now.notes);
  notes.delete(job ?? target ?? "");
  const without = <T extends string>(set: ReadonlySet<T>, one: string | undefined) =>
    new Set([...set].filter((other) => other !== one));
  if (job !== undefined) return { ...now, notes, jobs: without(now.jobs, job) };
  if (target !== undefined) return { ...now, notes, targets: without(now.targets, target) };
  return { ...now, notes, environment: false };
}

function suspendsWidely(now: Suspension, target: string | undefined): boolean {
  return target === undefined ? now.environment : now.targets.has(target as TargetName);
}

function notSuspended(now: Suspension, { target, job }: SuspensionScope): string {
  const of = job === undefined ? target : splitJobKey(job as JobKey).target;
  const what = job ?? (target === undefined ? "the environment" : `the target ${target}`);
  if (now.environment && what !== "the environment")
    return `${what} is not suspended itself, its whole environment is: resume that`;
  if (job !== undefined && now.targets.has(of as TargetName))
    return `${job} is not suspended itself, its target is: resume it with --target ${of}`;
  const others = [...now.targets, ...now.jobs];
  return `${what} is not suspended${others.length > 0 ? `; ${others.join(", ")} are` : ""}`;
}

/** @throws USAGE, NOT_FOUND where a name is none that the environment has. */
export async function checkScope(
  kv: Kv,
  environment: Environment,
  { target, job }: SuspensionScope,
): Promise<void> {
  if (target !== undefined && job !== undefined)
    throw new SluiceError("USAGE", "name a target or a job, not both");
  const targets = Object.keys(environment.config.targets);
  if (target !== undefined && !targets.includes(target))
    throw new SluiceError(
      "NOT_FOUND",
      `${environment.name} has no target "${target}"${suggest(target, targets)}; it has ${targets.join(", ")}`,
    );
  if (job === undefined) return;
  const { layout } = environment;
  const found = await kv.getMany([layout.status(job as JobKey), layout.inventory(job as JobKey)]);
  if (found.size > 0) return;
  const keys = await kv.list(layout.statuses, undefined, ({ key }) => key.slice(layout.statuses.length));
  throw new SluiceError("NOT_FOUND", `${environment.name} has no job "${job}"${suggest(job, keys)}`);
}
