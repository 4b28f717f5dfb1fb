import { fingerprintOf, type JsonObject, jobId, type LiveJob, type Observation } from "@sluice/core";
import { listIn, numberIn, textIn, without } from "../format/reading.ts";
import { earlierErrorOf, markOf } from "./mark.ts";
import { hasFinished } from "./normalise.ts";
import { parseSchedule, periodKey, phaseOf } from "./schedule.ts";

/** What runs change in a job, and what an operator's writes must therefore carry along. */
export const COUNTERS = ["successCount", "errorCount", "errorsSinceLastSuccess", "lastSuccess", "lastError"];

/** A job as GET shows it. */
export function liveJob(job: JsonObject): LiveJob {
  return {
    id: jobId(textIn(job.name) ?? ""),
    spec: job,
    owner: markOf(job),
    version: versionOf(job),
    observed: observe(job),
  };
}

/** Chronos keeps no versions, so this is a fingerprint of the job without what running changes in it. */
export function versionOf(job: JsonObject): string {
  const text = textIn(job.schedule);
  const schedule = text === undefined ? "" : parseSchedule(text, textIn(job.scheduleTimeZone) ?? "");
  const steady =
    typeof schedule === "string"
      ? (text ?? "")
      : `R${schedule.repeat ?? ""}/${phaseOf(schedule)}/${periodKey(schedule.period)}`;
  return fingerprintOf({ ...without(job, ...COUNTERS), schedule: steady });
}

/** Chronos has no rollout: a job that is there is deployed. What its last runs did is its health. */
export function observe(job: JsonObject): Observation {
  if (hasFinished(job)) return afterRuns(job, "its last run is over");
  if (job.disabled === true) return { health: "Suspended", message: "disabled" };
  const parents = listIn(job.parents).map(String);
  return afterRuns(job, parents.length > 0 ? `runs after ${parents.join(", ")}` : nextRun(job));
}

function afterRuns(job: JsonObject, plan: string): Observation {
  const [succeeded, failed] = [textIn(job.lastSuccess) ?? "", textIn(job.lastError) ?? ""];
  const errors = numberIn(job.errorsSinceLastSuccess) ?? 0;
  const isEarlier = failed === earlierErrorOf(job);
  if (errors > 0 && failed !== "" && !isEarlier && timeOf(failed) >= timeOf(succeeded)) {
    const runs = errors === 1 ? "1 run" : `${errors} runs`;
    return {
      health: "Degraded",
      message: `${runs} failed since the last success, last at ${failed}; ${plan}`,
    };
  }
  if (errors > 0 && isEarlier)
    return {
      health: "Healthy",
      message: `not run since it was changed after a failure at ${failed}; ${plan}`,
    };
  const ran = succeeded === "" ? "" : `last run succeeded at ${succeeded}; `;
  return { health: "Healthy", message: ran + plan };
}

function nextRun(job: JsonObject): string {
  const schedule = parseSchedule(textIn(job.schedule) ?? "", textIn(job.scheduleTimeZone) ?? "");
  const at = typeof schedule === "string" ? undefined : schedule.start?.toISO();
  return at ? `scheduled, next run at ${at}` : "scheduled, runs at once";
}

function timeOf(text: string): number {
  return text === "" ? Number.NEGATIVE_INFINITY : Date.parse(text);
}
