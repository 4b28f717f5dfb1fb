import type { Json, JsonObject } from "@sluice/core";
import { numberIn, objectIn, objectsIn, textIn } from "../../format/reading.ts";
import { defined, definedAny, mapOf } from "./lists.ts";
import { bytes, nanoseconds } from "./units.ts";

/** What a service's `deploy` says, as fields of a service and of its task template. */
export function deployOf(deploy: JsonObject): {
  readonly service: JsonObject;
  readonly template: JsonObject;
} {
  const resources = objectIn(deploy.resources);
  const restart = objectIn(deploy.restart_policy);
  return {
    service: defined({
      Labels: mapOf(deploy.labels),
      Mode: modeOf(deploy),
      UpdateConfig: rolloutOf(objectIn(deploy.update_config)),
      RollbackConfig: rolloutOf(objectIn(deploy.rollback_config)),
    }),
    template: defined({
      Resources: definedAny({
        Limits: resourcesOf(objectIn(resources?.limits)),
        Reservations: resourcesOf(objectIn(resources?.reservations)),
      }),
      RestartPolicy:
        restart &&
        definedAny({
          Condition: restart.condition ?? undefined,
          Delay: duration(restart.delay),
          MaxAttempts: restart.max_attempts ?? undefined,
          Window: duration(restart.window),
        }),
      Placement: placementOf(objectIn(deploy.placement)),
    }),
  };
}

export function duration(value: Json | undefined): number | undefined {
  return typeof value === "string" ? nanoseconds(value) : undefined;
}

function modeOf(deploy: JsonObject): JsonObject {
  const replicas = numberIn(deploy.replicas) ?? 1;
  switch (textIn(deploy.mode)) {
    case "global":
      return { Global: {} };
    case "global-job":
      return { GlobalJob: {} };
    case "replicated-job":
      return { ReplicatedJob: { MaxConcurrent: replicas, TotalCompletions: replicas } };
    default:
      return { Replicated: { Replicas: replicas } };
  }
}

/** Docker's own client sends one task at a time where a file does not say. */
function rolloutOf(config: JsonObject | undefined): JsonObject | undefined {
  if (!config) return undefined;
  return defined({
    Parallelism: numberIn(config.parallelism) ?? 1,
    Delay: duration(config.delay),
    FailureAction: config.failure_action ?? undefined,
    Monitor: duration(config.monitor),
    MaxFailureRatio: config.max_failure_ratio ?? undefined,
    Order: config.order ?? undefined,
  });
}

function resourcesOf(given: JsonObject | undefined): JsonObject | undefined {
  if (!given) return undefined;
  const memory = given.memory;
  const generic = objectsIn(given.generic_resources).map(([, one]) => {
    const spec = objectIn(one.discrete_resource_spec);
    return { DiscreteResourceSpec: { Kind: spec?.kind ?? "", Value: spec?.value ?? 0 } };
  });
  return definedAny({
    NanoCPUs:
      given.cpus === undefined || given.cpus === null ? undefined : Math.round(Number(given.cpus) * 1e9),
    MemoryBytes: typeof memory === "string" || typeof memory === "number" ? bytes(memory) : undefined,
    Pids: given.pids ?? undefined,
    GenericResources: generic.length > 0 ? generic : undefined,
  });
}

function placementOf(placement: JsonObject | undefined): JsonObject | undefined {
  if (!placement) return undefined;
  const preferences = objectsIn(placement.preferences).map(([, one]) => ({
    Spread: { SpreadDescriptor: one.spread ?? "" },
  }));
  return definedAny({
    Constraints: placement.constraints ?? undefined,
    Preferences: preferences.length > 0 ? preferences : undefined,
    MaxReplicas: placement.max_replicas_per_node ?? undefined,
  });
}
