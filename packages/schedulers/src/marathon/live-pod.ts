import { type JsonObject, jobId, type LiveJob, type Observation } from "@sluice/core";
import { listIn, numberIn, objectIn, objectsIn, textIn } from "../format/reading.ts";
import { firstLine } from "../http/failure.ts";
import { secretsOf } from "./failure.ts";
import { versionOf } from "./live-app.ts";
import { markOf } from "./mark.ts";
import type { QueueEntry } from "./observe.ts";

/** What is known of a pod beside its status. */
export interface PodSurroundings {
  /** A running deployment changes the pod. */
  readonly deploying: boolean;
  readonly queued?: QueueEntry | undefined;
}

/** A pod as its status shows it. */
export function livePod(status: JsonObject, around: PodSurroundings): LiveJob {
  const spec = objectIn(status.spec) ?? {};
  return {
    id: jobId(textIn(status.id) ?? ""),
    spec,
    owner: markOf(spec),
    version: versionOf(spec),
    observed: observePod(status, around),
  };
}

/** How a pod does, by its instances and whether a deployment changes it (reference 1.2, pods). */
export function observePod(status: JsonObject, { deploying, queued }: PodSurroundings): Observation {
  const spec = objectIn(status.spec) ?? {};
  const wanted = numberIn(objectIn(spec.scaling)?.instances) ?? 1;
  const states = objectsIn(status.instances).map(([, one]) => textIn(one.status) ?? "");
  const present = states.filter((state) => state !== "TERMINAL").length;
  if (wanted === 0)
    return present === 0 && !deploying
      ? { health: "Healthy", message: "scaled to 0" }
      : { health: "Progressing", message: `${present} still stopping` };
  const stable = states.filter((state) => state === "STABLE").length;
  const degraded = states.filter((state) => state === "DEGRADED").length;
  const counted = `${stable} of ${wanted} instances stable`;
  if (!deploying && status.status === "STABLE" && stable >= wanted && degraded === 0)
    return { health: "Healthy", message: counted };
  const failing = (queued?.backOffSeconds ?? 0) > 0 || (!deploying && degraded > 0);
  const busy = deploying && stable >= wanted ? ["the deployment still runs"] : [];
  const reasons = [counted, ...busy, ...reasonsOf(status, degraded, queued)];
  return { health: failing ? "Degraded" : "Progressing", message: reasons.join("; ") };
}

function reasonsOf(status: JsonObject, degraded: number, queued: QueueEntry | undefined): string[] {
  const failure = lastTermination(status);
  return [
    ...(degraded > 0 ? [`${degraded} degraded`] : []),
    ...(failure ? [failure] : []),
    ...(queued && queued.backOffSeconds > 0 ? ["Marathon pauses before the next start"] : []),
    ...(queued && queued.declined.length > 0 ? [`no offer fits: ${queued.declined.join(", ")}`] : []),
  ];
}

/** The last termination, if it is of the present spec. */
function lastTermination(status: JsonObject): string | undefined {
  const spec = objectIn(status.spec) ?? {};
  const since = textIn(spec.version) ?? "";
  const ended = objectsIn(status.terminationHistory)
    .map(([, one]) => one)
    .filter((one) => (textIn(one.terminatedAt) ?? "") >= since)
    .sort((a, b) => ((textIn(a.terminatedAt) ?? "") < (textIn(b.terminatedAt) ?? "") ? 1 : -1));
  const [last] = ended;
  if (!last) return undefined;
  const words = [last.message, ...listIn(last.containers).map((one) => terminationOf(objectIn(one)))];
  const said = words.flatMap((one) => textIn(one) ?? []).find((one) => one !== "");
  return `the last instance ended: ${firstLine(said ?? "", secretsOf(spec), 200) || "no reason given"}`;
}

function terminationOf(container: JsonObject | undefined): string {
  const termination = objectIn(container?.termination);
  const code = numberIn(termination?.exitCode);
  return textIn(termination?.message) ?? (code === undefined || code === 0 ? "" : `exited with ${code}`);
}
