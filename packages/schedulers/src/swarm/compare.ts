import { canonicalJson, type FieldChange, isJsonObject, type Json, type JsonObject } from "@sluice/core";
import { differences } from "../format/differences.ts";
import { numberIn, objectIn, objectsIn, textIn, without, withoutNulls } from "../format/reading.ts";
import { hasDigest, tagOf } from "./image.ts";
import { withoutMark } from "./mark.ts";
import { withEnvByName } from "./merge.ts";

const SECOND = 1_000_000_000;
const UPDATE: JsonObject = {
  Parallelism: 1,
  Delay: 0,
  FailureAction: "pause",
  Monitor: 5 * SECOND,
  MaxFailureRatio: 0,
  Order: "stop-first",
};
const RESTART: JsonObject = { Condition: "any", Delay: 5 * SECOND, MaxAttempts: 0, Window: 0 };

/**
 * See JobFormat.compare. What a file leaves to Swarm (the digest behind a tag, forced updates, the image's platforms) is no
 * difference. Contents of configs and secrets show as their names, which hold a hash.
 */
export function compareServices(
  desired: JsonObject,
  live: JsonObject,
  ignore: readonly string[],
): readonly FieldChange[] {
  const wanted = normalised(desired);
  const present = leftToSwarm(wanted, normalised(live));
  return differences(wanted, present, { sets: new Set(), ignore });
}

/** One form for a spec from a file and for one that Docker shows (reference 4.2). */
export function normalised(given: JsonObject): JsonObject {
  const plain = without(withoutNulls(withoutMark(given)) as JsonObject, "configs", "secrets", "networks");
  const spec = withEnvByName(plain);
  const mode = objectIn(spec.Mode);
  return withoutEmpties({
    ...spec,
    Mode: mode && Object.keys(mode).length > 0 ? modeOf(mode) : { Replicated: { Replicas: 1 } },
    TaskTemplate: templateOf(objectIn(spec.TaskTemplate) ?? {}),
    UpdateConfig: updateOf(objectIn(spec.UpdateConfig)),
    RollbackConfig: updateOf(objectIn(spec.RollbackConfig)),
    EndpointSpec: endpointOf(objectIn(spec.EndpointSpec) ?? {}),
  });
}

function modeOf(mode: JsonObject): JsonObject {
  const replicated = objectIn(mode.Replicated);
  return replicated ? { Replicated: { Replicas: 1, ...replicated } } : mode;
}

function templateOf(template: JsonObject): JsonObject {
  const container = objectIn(template.ContainerSpec) ?? {};
  const restart = objectIn(template.RestartPolicy);
  return {
    ...without(template, ...(template.Runtime === "container" ? ["Runtime"] : [])),
    ForceUpdate: numberIn(template.ForceUpdate) ?? 0,
    RestartPolicy: { ...RESTART, ...(restart ? withoutZeros(restart, "Condition") : {}) },
    Placement: {
      ...objectIn(template.Placement),
      ...sorted(objectIn(template.Placement), ["Constraints", "Platforms"]),
    },
    Networks: sortedList(template.Networks, "Target"),
    ContainerSpec: {
      StopGracePeriod: 10 * SECOND,
      ...without(container, ...(container.Isolation === "default" ? ["Isolation"] : [])),
      Image: textIn(container.Image) ?? "",
      ...sorted(container, [
        "Mounts",
        "Configs",
        "Secrets",
        "Hosts",
        "Ulimits",
        "CapabilityAdd",
        "CapabilityDrop",
      ]),
    },
  };
}

/** A file's `UpdateConfig` without `Parallelism` means all at once, since its absence is sent as 0. */
function updateOf(update: JsonObject | undefined): JsonObject {
  return update
    ? { ...UPDATE, Parallelism: 0, ...withoutZeros(update, "FailureAction", "Monitor", "Order") }
    : UPDATE;
}

function endpointOf(endpoint: JsonObject): JsonObject {
  const ports = objectsIn(endpoint.Ports).map(([, port]) => ({
    Protocol: "tcp",
    PublishMode: "ingress",
    ...withoutZeros(port, "PublishedPort", "Name"),
  }));
  return { Mode: "vip", ...withoutZeros(endpoint, "Mode"), Ports: sortedList(ports) };
}

/** Zero and "" stand for the default in these fields. */
function withoutZeros(object: JsonObject, ...keys: readonly string[]): JsonObject {
  return without(object, ...keys.filter((key) => object[key] === 0 || object[key] === ""));
}

function sorted(object: JsonObject | undefined, keys: readonly string[]): JsonObject {
  return Object.fromEntries(
    keys.flatMap((key) => (object?.[key] === undefined ? [] : [[key, sortedList(object[key])]])),
  );
}

function sortedList(list: Json | undefined, by?: string): Json {
  if (!Array.isArray(list)) return [];
  const rank = (one: Json) => (by === undefined ? canonicalJson(one) : String(objectIn(one)?.[by] ?? ""));
  return [...list].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** The live side, with the desired value wherever the desired side leaves the choice to Swarm. */
function leftToSwarm(wanted: JsonObject, live: JsonObject): JsonObject {
  const template = objectIn(live.TaskTemplate) ?? {};
  const wish = objectIn(wanted.TaskTemplate);
  const container = objectIn(template.ContainerSpec) ?? {};
  const [image, shown] = [textIn(objectIn(wish?.ContainerSpec)?.Image) ?? "", textIn(container.Image) ?? ""];
  const asWished = !hasDigest(image) && tagOf(image) === tagOf(shown);
  const placement = objectIn(template.Placement);
  const strayPlatforms = objectIn(wish?.Placement)?.Platforms === undefined;
  return withoutEmpties({
    ...live,
    TaskTemplate: {
      ...template,
      ...(wish?.ForceUpdate === 0 ? { ForceUpdate: 0 } : {}),
      ...(placement ? { Placement: strayPlatforms ? without(placement, "Platforms") : placement } : {}),
      ContainerSpec: { ...container, ...(asWished ? { Image: image } : {}) },
    },
  });
}

function withoutEmpties(object: JsonObject): JsonObject {
  const kept: Record<string, Json> = {};
  for (const [key, value] of Object.entries(object)) {
    const slim = Array.isArray(value)
      ? value.map((one) => (isJsonObject(one) ? withoutEmpties(one) : one))
      : isJsonObject(value)
        ? withoutEmpties(value)
        : value;
    const empty = Array.isArray(slim)
      ? slim.length === 0
      : isJsonObject(slim) && Object.keys(slim).length === 0;
    // An empty mode such as `Global: {}` is a choice, not an absence.
    if (!empty || /^(Global|GlobalJob|ReplicatedJob)$/.test(key)) kept[key] = slim;
  }
  return kept;
}
