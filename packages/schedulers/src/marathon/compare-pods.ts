import { type FieldChange, isJsonObject, type Json, type JsonObject } from "@sluice/core";
import { differences } from "../format/differences.ts";
import { listIn, numberIn, objectIn, objectsIn, textIn, without, withoutNulls } from "../format/reading.ts";
import { absoluteId } from "./app-id.ts";
import { MARK_LABEL } from "./mark.ts";
import { withoutEmpties } from "./normalise.ts";
import { podSchema } from "./pod-schema.ts";

const FIELDS = Object.keys(podSchema.shape);
const NO_SETS: ReadonlySet<string> = new Set();

const HEALTH_CHECK: JsonObject = {
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  maxConsecutiveFailures: 3,
  timeoutSeconds: 20,
  delaySeconds: 15,
};

/** See JobFormat.compare. What a file leaves to Marathon (dynamic ports, its role, defaults by version) is no difference. */
export function comparePods(
  desired: JsonObject,
  live: JsonObject,
  ignore: readonly string[],
): readonly FieldChange[] {
  const wanted = normalisedPod(desired);
  const present = normalisedPod(live);
  const launchDelay = objectIn(objectIn(present.scheduling)?.backoff)?.maxLaunchDelay;
  return differences(
    withLaunchDelay(wanted, launchDelay === 3600 ? 3600 : 300),
    leftToMarathon(wanted, withLaunchDelay(present, 300)),
    { sets: NO_SETS, ignore },
  );
}

/** One form for a pod from a file and for one that Marathon shows (reference 1.2, pods). */
export function normalisedPod(spec: JsonObject): JsonObject {
  const given = withoutNulls(spec) as JsonObject;
  const known = Object.fromEntries(
    FIELDS.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]])),
  );
  const mode = networksOf(given)[0]?.mode;
  return withoutEmpties({
    ...(known as JsonObject),
    id: absoluteId(textIn(given.id) ?? ""),
    labels: without(objectIn(given.labels) ?? {}, MARK_LABEL),
    networks: networksOf(given),
    scaling: { kind: "fixed", instances: 1, ...objectIn(given.scaling) },
    scheduling: schedulingOf(given),
    executorResources: { cpus: 0.1, mem: 32, disk: 10, ...objectIn(given.executorResources) },
    containers: objectsIn(given.containers).map(([, one]) => containerOf(one, mode !== "container")),
  });
}

function networksOf({ networks }: JsonObject): readonly JsonObject[] {
  const given = objectsIn(networks).map(([, one]) => ({ mode: "container", ...one }));
  return given.length > 0 ? given : [{ mode: "host" }];
}

function schedulingOf({ scheduling, volumes }: JsonObject): JsonObject {
  const given = objectIn(scheduling) ?? {};
  const bound = objectsIn(volumes).some(([, one]) => objectIn(one.persistent) !== undefined);
  const constraints = objectsIn(objectIn(given.placement)?.constraints).map(([, one]) => one);
  return {
    killSelection: "YOUNGEST_FIRST",
    upgrade: bound
      ? { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 }
      : { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    unreachableStrategy: bound ? "disabled" : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    ...given,
    backoff: { backoff: 1, backoffFactor: 1.15, ...objectIn(given.backoff) },
    placement: {
      ...objectIn(given.placement),
      // A set in Marathon.
      constraints: constraints.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    },
  };
}

function containerOf(container: JsonObject, mapped: boolean): JsonObject {
  const image = objectIn(container.image);
  const check = objectIn(container.healthCheck);
  return {
    ...container,
    resources: { cpus: 1, mem: 128, disk: 0, gpus: 0, ...objectIn(container.resources) },
    ...(image ? { image: { forcePull: false, ...image } } : {}),
    ...(check ? { healthCheck: { ...HEALTH_CHECK, ...check, ...httpOf(check) } } : {}),
    endpoints: objectsIn(container.endpoints).map(([, one]) => ({
      protocol: ["tcp"],
      ...(mapped ? { hostPort: 0 } : {}),
      ...one,
    })),
    volumeMounts: objectsIn(container.volumeMounts).map(([, one]) => ({ readOnly: false, ...one })),
    artifacts: objectsIn(container.artifacts).map(([, one]) => ({
      ...{ extract: true, executable: false, cache: false },
      ...one,
    })),
  };
}

function httpOf(check: JsonObject): JsonObject {
  const http = objectIn(check.http);
  return http ? { http: { path: "/", scheme: "HTTP", ...http } } : {};
}

function withLaunchDelay(pod: JsonObject, standard: number): JsonObject {
  const scheduling = objectIn(pod.scheduling) ?? {};
  const backoff = { maxLaunchDelay: standard, ...objectIn(scheduling.backoff) };
  return { ...pod, scheduling: { ...scheduling, backoff } };
}

/** The live side, with the desired value wherever the desired side leaves the choice to Marathon. */
function leftToMarathon(wanted: JsonObject, live: JsonObject): JsonObject {
  const wishes = listIn(wanted.containers);
  const containers = listIn(live.containers).map((one, at) => withDynamicPorts(wishes[at], one));
  return { ...(wanted.role === undefined ? without(live, "role") : live), containers };
}

function withDynamicPorts(wanted: Json | undefined, live: Json): Json {
  if (!isJsonObject(wanted) || !isJsonObject(live) || live.endpoints === undefined) return live;
  const wishes = listIn(wanted.endpoints);
  const endpoints = listIn(live.endpoints).map((one, at) => {
    const wish = wishes[at];
    const dynamic = isJsonObject(wish) && wish.hostPort === 0 && isJsonObject(one) && numberIn(one.hostPort);
    return dynamic !== false && dynamic !== undefined ? { ...(one as JsonObject), hostPort: 0 } : one;
  });
  return { ...live, endpoints };
}
