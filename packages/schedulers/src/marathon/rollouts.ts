import type { Clock, JobId, JsonObject, LiveJob, Observation } from "@sluice/core";
import { listIn } from "../format/reading.ts";
import { compareJobs } from "./compare.ts";
import { outdatedOf } from "./observe.ts";

/** What Marathon does not say of a deployment that is over: whether it reached its end. */
export interface Rollouts {
  /** @param before the spec that was replaced; undefined: there was none. @param version the job's version since. */
  sent(id: JobId, before: JsonObject | undefined, version: string): void;
  forget(id: JobId): void;
  /**
   * What to say of a job, given what was sent.
   * @param shown the app as Marathon showed it, with its tasks or their statistics unless it is settled; of a pod, nothing.
   */
  judge(live: LiveJob, shown: JsonObject): Observation;
  /**
   * Whether a job was seen at this version with all instances of its present spec, so that it need not be asked again: without
   * a new version it gets no others.
   */
  isSettled(id: JobId, version: string): boolean;
}

interface Sent {
  readonly before: JsonObject | undefined;
  readonly version: string;
}

/**
 * A new leader takes some seconds to take up the deployments of its predecessor, and counts and deployments are not read at
 * one moment: only what lasts this long is believed.
 */
const STRANDED_MS = 30_000;

/** Kept in memory only: after a restart, an undone deployment is a drift as any other. */
export function rollouts(clock: Clock): Rollouts {
  const open = new Map<JobId, Sent>();
  const settled = new Map<JobId, string>();
  const stranded = new Map<JobId, { readonly version: string; readonly since: number }>();

  function isStranded({ id, version }: LiveJob, shown: JsonObject): boolean | "perhaps" {
    const deploying = listIn(shown.deployments).length > 0;
    const outdated = outdatedOf(shown);
    if (!deploying && outdated === 0) settled.set(id, version);
    if (deploying || !outdated) {
      stranded.delete(id);
      return false;
    }
    const seen = stranded.get(id);
    if (seen?.version === version) return clock.now() - seen.since >= STRANDED_MS || "perhaps";
    stranded.set(id, { version, since: clock.now() });
    return "perhaps";
  }

  /** True where the job is what it was before the last write, and that write was never seen to its end. */
  function isUndone({ id, version, spec }: LiveJob): boolean {
    const sent = open.get(id);
    if (!sent?.before || sent.version === version) return false;
    return compareJobs(sent.before, spec, []).length === 0;
  }

  return {
    sent(id, before, version) {
      open.set(id, { before, version });
      // A new job has no earlier instances.
      if (!before) settled.set(id, version);
    },
    isSettled: (id, version) => settled.get(id) === version,
    forget(id) {
      open.delete(id);
      settled.delete(id);
      stranded.delete(id);
    },
    judge(live, shown) {
      if (isUndone(live)) return undone(live.observed);
      const left = isStranded(live, shown);
      if (left !== false) return halfDone(live.observed, outdatedOf(shown) ?? 0, left === true);
      if (live.observed.health === "Healthy" && open.get(live.id)?.version === live.version)
        open.delete(live.id);
      return live.observed;
    },
  };
}

function undone({ health, message }: Observation): Observation {
  const words = `the deployment was undone in Marathon, which runs the earlier spec again: ${message}`;
  return { health, message: words, failed: true, rolledBack: true };
}

function halfDone({ health, message }: Observation, outdated: number, surely: boolean): Observation {
  const left = `no deployment runs, and ${outdated} of the instances are still of an earlier spec`;
  if (!surely)
    return { health: health === "Healthy" ? "Progressing" : health, message: `${message}; ${left}` };
  return { health: "Degraded", message: `the deployment was cancelled: ${left}`, failed: true };
}
