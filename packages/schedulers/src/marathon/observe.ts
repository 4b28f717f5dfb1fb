import type { JsonObject, Observation } from "@sluice/core";
import { listIn, numberIn, objectIn, objectsIn, textIn } from "../format/reading.ts";
import { firstLine } from "../http/failure.ts";
import { secretsOf } from "./failure.ts";

/** An app's entry in Marathon's launch queue: what it waits for. */
export interface QueueEntry {
  /** Seconds until the next start after failures; 0: none. */
  readonly backOffSeconds: number;
  /** Why offers were declined: `InsufficientMemory`. */
  readonly declined: readonly string[];
}

/** How an app does, by its counts, deployments, last failure and queue entry (reference 1.7). */
export function observe(app: JsonObject, queued?: QueueEntry): Observation {
  const instances = numberIn(app.instances) ?? 1;
  const running = numberIn(app.tasksRunning) ?? 0;
  const staged = numberIn(app.tasksStaged) ?? 0;
  const deploying = listIn(app.deployments).length > 0;
  if (instances === 0 && running + staged === 0 && !deploying)
    return { health: "Healthy", message: "scaled to 0" };
  const checked = listIn(app.healthChecks).length > 0;
  const unhealthy = numberIn(app.tasksUnhealthy) ?? 0;
  const good = checked ? (numberIn(app.tasksHealthy) ?? 0) : running;
  const counted = `${good} of ${instances} instances ${checked ? "healthy" : "running"}`;
  if (!deploying && running >= instances && good >= instances && unhealthy === 0)
    return { health: "Healthy", message: counted };
  const failing = (queued?.backOffSeconds ?? 0) > 0 || (!deploying && unhealthy > 0);
  const state = instances === 0 ? `${running + staged} still stopping` : counted;
  const busy = deploying && good >= instances && instances > 0 ? ["the deployment still runs"] : [];
  const reasons = [state, ...busy, ...reasonsOf(app, queued, unhealthy)];
  return { health: failing ? "Degraded" : "Progressing", message: reasons.join("; ") };
}

/**
 * How many running instances are of an earlier configuration, by the statistics or, where there are none, by the tasks;
 * undefined: the app was shown with neither.
 */
export function outdatedOf(app: JsonObject): number | undefined {
  if (numberIn(app.tasksRunning) === 0) return 0;
  const stats = objectIn(app.tasksStats) ?? objectIn(app.taskStats);
  if (stats) {
    const counts = objectIn(objectIn(objectIn(stats.withOutdatedConfig)?.stats)?.counts);
    return numberIn(counts?.running) ?? 0;
  }
  if (!Array.isArray(app.tasks)) return undefined;
  const since = textIn(objectIn(app.versionInfo)?.lastConfigChangeAt);
  const running = objectsIn(app.tasks).filter(([, task]) => task.state === "TASK_RUNNING");
  return running.filter(([, task]) => since !== undefined && (textIn(task.version) ?? since) < since).length;
}

/** Whether the launch queue has more to tell about an app: in a rollout the old instances may be all there while no new one starts. */
export function isUnsettled(app: JsonObject): boolean {
  return (
    listIn(app.deployments).length > 0 || (numberIn(app.tasksRunning) ?? 0) < (numberIn(app.instances) ?? 1)
  );
}

/** The launch queue by absolute app id. */
export function queueEntries(queue: JsonObject): ReadonlyMap<string, QueueEntry> {
  return new Map(
    objectsIn(queue.queue).flatMap(([, entry]) => {
      const id = textIn((objectIn(entry.app) ?? objectIn(entry.pod))?.id);
      return id === undefined ? [] : [[id, entryOf(entry)] as const];
    }),
  );
}

function entryOf(entry: JsonObject): QueueEntry {
  const delay = objectIn(entry.delay);
  const offers = objectIn(entry.processedOffersSummary);
  return {
    backOffSeconds: delay?.overdue === false ? (numberIn(delay.timeLeftSeconds) ?? 0) : 0,
    declined: objectsIn(offers?.rejectSummaryLastOffers).flatMap(([, one]) =>
      (numberIn(one.declined) ?? 0) > 0 ? (textIn(one.reason) ?? []) : [],
    ),
  };
}

function reasonsOf(app: JsonObject, queued: QueueEntry | undefined, unhealthy: number): string[] {
  const reasons: string[] = [];
  if (unhealthy > 0) reasons.push(`${unhealthy} failing the health check`);
  const failure = lastFailure(app);
  if (failure) reasons.push(failure);
  if (queued && queued.backOffSeconds > 0) reasons.push("Marathon pauses before the next start");
  if (queued && queued.declined.length > 0) reasons.push(`no offer fits: ${queued.declined.join(", ")}`);
  return reasons;
}

/** The last failure, if it is of the present configuration. */
function lastFailure(app: JsonObject): string | undefined {
  const failure = objectIn(app.lastTaskFailure);
  const at = textIn(failure?.timestamp);
  const since = textIn(objectIn(app.versionInfo)?.lastConfigChangeAt);
  if (!failure || !at || (since && at < since)) return undefined;
  const said = firstLine(textIn(failure.message) ?? "", secretsOf(app), 200);
  const words = said || textIn(failure.state) || "no reason given";
  return `the last task failed: ${words}`;
}
