import { type JsonObject, type Observation, redact, sameJson } from "@sluice/core";
import { numberIn, objectIn, textIn, without } from "../format/reading.ts";
import { secretsOf } from "./failure.ts";

const FAILED = new Set(["failed", "rejected", "orphaned"]);

interface Standing {
  readonly wanted: number;
  readonly running: number;
  /** Tasks of an earlier spec that still run. */
  readonly old: number;
  /** True where Swarm starts no more tasks though some are missing. */
  readonly abandoned: boolean;
  readonly trouble: string | undefined;
}

/**
 * How a service does, by its update and its tasks (reference 4.3). Counted are only tasks of the present spec: right after an
 * update all the old ones run, and Swarm's own counts cannot tell them apart.
 * @param tasks the service's tasks, old ones too.
 */
export function observe(service: JsonObject, tasks: readonly JsonObject[]): Observation {
  const update = objectIn(service.UpdateStatus);
  const state = textIn(update?.State);
  const standing = standingOf(service, tasks);
  const counted = `${standing.running} of ${standing.wanted} tasks running`;
  const trouble = standing.trouble === undefined ? [] : [standing.trouble];
  if (state?.startsWith("rollback_")) return rolledBack(state, counted, standing, trouble);
  if (state === "paused")
    return {
      health: "Degraded",
      failed: true,
      message: ["Swarm paused the update", counted, ...trouble].join("; "),
    };
  if (isJob(service)) return observeJob(service, tasks, trouble);
  const settled = standing.running >= standing.wanted && standing.old === 0 && state !== "updating";
  if (settled) return { health: "Healthy", message: standing.wanted === 0 ? "scaled to 0" : counted };
  const busy = standing.old > 0 ? [`${standing.old} of the previous spec still running`] : [];
  const message = [counted, ...busy, ...trouble].join("; ");
  if (standing.abandoned) return { health: "Degraded", failed: true, message };
  return { health: trouble.length > 0 ? "Degraded" : "Progressing", message };
}

/** True while an update replaces tasks; Docker itself says so only once its orchestrator took the update up. */
export function isReplacing(service: JsonObject, tasks: readonly JsonObject[]): boolean {
  const state = textIn(objectIn(service.UpdateStatus)?.State);
  return state === "updating" || (state === undefined && standingOf(service, tasks).old > 0);
}

function rolledBack(
  state: string,
  counted: string,
  { running, wanted }: Standing,
  trouble: readonly string[],
): Observation {
  const words: Record<string, string> = {
    rollback_started: "Swarm is putting the previous spec back",
    rollback_paused: "Swarm paused while it put the previous spec back",
    rollback_completed: "Swarm put the previous spec back",
  };
  const good = state === "rollback_completed" && running >= wanted;
  const health = good ? "Healthy" : state === "rollback_started" ? "Progressing" : "Degraded";
  return { health, rolledBack: true, message: [words[state] ?? state, counted, ...trouble].join("; ") };
}

function standingOf(service: JsonObject, tasks: readonly JsonObject[]): Standing {
  const template = comparable(objectIn(objectIn(service.Spec)?.TaskTemplate));
  const isNow = (task: JsonObject) => sameJson(comparable(objectIn(task.Spec)), template);
  const present = tasks.filter(isNow);
  const kept = tasks.filter((task) => textIn(task.DesiredState) === "running");
  const wanted = wantedOf(service);
  const running = kept.filter((task) => isNow(task) && stateOf(task) === "running").length;
  const starting = tasks.some((task) => ["running", "ready"].includes(textIn(task.DesiredState) ?? ""));
  const failed = present.some((task) => FAILED.has(stateOf(task)));
  return {
    wanted,
    running,
    old: kept.filter((task) => !isNow(task) && stateOf(task) === "running").length,
    abandoned: wanted > 0 && failed && !starting,
    trouble: running >= wanted ? undefined : troubleOf(service, present),
  };
}

/** What a task copies of its service. Where tasks may run can change without replacing those that run there already. */
function comparable(spec: JsonObject | undefined): JsonObject {
  return without(spec ?? {}, "Runtime", "Placement");
}

function wantedOf(service: JsonObject): number {
  const mode = objectIn(objectIn(service.Spec)?.Mode);
  const replicated = objectIn(mode?.Replicated);
  if (replicated) return numberIn(replicated.Replicas) ?? 1;
  return numberIn(objectIn(service.ServiceStatus)?.DesiredTasks) ?? 0;
}

function stateOf(task: JsonObject): string {
  return textIn(objectIn(task.Status)?.State) ?? "";
}

/** Why tasks are missing: the newest failure, or what the newest waiting task waits for. */
function troubleOf(service: JsonObject, tasks: readonly JsonObject[]): string | undefined {
  const newest = [...tasks].sort((a, b) => momentOf(b).localeCompare(momentOf(a)));
  const said = (task: JsonObject | undefined) => {
    const words = textIn(objectIn(task?.Status)?.Err) ?? "";
    return redact(words.split("\n")[0] ?? "", secretsOf(objectIn(service.Spec))).slice(0, 200);
  };
  const failed = newest.find((task) => FAILED.has(stateOf(task)));
  if (failed) return `the last task failed: ${said(failed) || stateOf(failed)}`;
  const waiting = newest.find((task) => stateOf(task) === "pending" && said(task) !== "");
  return waiting ? `a task cannot be placed: ${said(waiting)}` : undefined;
}

function momentOf(task: JsonObject): string {
  return textIn(objectIn(task.Status)?.Timestamp) ?? "";
}

function isJob(service: JsonObject): boolean {
  const mode = objectIn(objectIn(service.Spec)?.Mode);
  return mode?.ReplicatedJob !== undefined || mode?.GlobalJob !== undefined;
}

/** A service that runs to its end; every update runs it again, as the next iteration. */
function observeJob(
  service: JsonObject,
  tasks: readonly JsonObject[],
  trouble: readonly string[],
): Observation {
  const iteration = numberIn(objectIn(objectIn(service.JobStatus)?.JobIteration)?.Index) ?? 0;
  const now = tasks.filter((task) => (numberIn(objectIn(task.JobIteration)?.Index) ?? 0) === iteration);
  const done = now.filter((task) => stateOf(task) === "complete").length;
  const job = objectIn(objectIn(objectIn(service.Spec)?.Mode)?.ReplicatedJob);
  const wanted = job
    ? (numberIn(job.TotalCompletions) ?? numberIn(job.MaxConcurrent) ?? 1)
    : (numberIn(objectIn(service.ServiceStatus)?.DesiredTasks) ?? 0) + done;
  const counted = `${done} of ${wanted} tasks complete`;
  if (wanted > 0 && done >= wanted) return { health: "Healthy", message: counted };
  const failed = now.some((task) => FAILED.has(stateOf(task)));
  const ends = !now.some((task) =>
    [
      "new",
      "pending",
      "assigned",
      "accepted",
      "preparing",
      "ready",
      "starting",
      "running",
      "allocated",
    ].includes(stateOf(task)),
  );
  const message = [counted, ...trouble].join("; ");
  if (failed && ends) return { health: "Degraded", failed: true, message };
  return { health: failed ? "Degraded" : "Progressing", message };
}
