import { type FieldChange, isJsonObject, type Json, type JsonObject } from "@sluice/core";
import { differences } from "../format/differences.ts";
import { listIn, objectIn, objectsIn, without } from "../format/reading.ts";
import { normalised, SET_FIELDS } from "./normalise.ts";

/** See JobFormat.compare. What a file leaves to Marathon (dynamic ports, its role, the default network) is no difference. */
export function compareApps(
  desired: JsonObject,
  live: JsonObject,
  ignore: readonly string[],
): readonly FieldChange[] {
  const wanted = normalised(desired);
  const shown = normalised(withoutEarlyDefault(desired, live));
  const present = leftToMarathon(wanted, shown, live.version !== undefined);
  return differences(withLaunchDelay(wanted, present), present, { sets: SET_FIELDS, ignore });
}

/** The first releases of 1.4 had another default than all since: where a file is silent, it is as wanted. */
function withoutEarlyDefault(desired: JsonObject, live: JsonObject): JsonObject {
  const silent = desired.unreachableStrategy === undefined || desired.unreachableStrategy === null;
  const { inactiveAfterSeconds, expungeAfterSeconds } = objectIn(live.unreachableStrategy) ?? {};
  const early = inactiveAfterSeconds === 300 && expungeAfterSeconds === 600;
  return silent && early ? without(live, "unreachableStrategy") : live;
}

/** The live side, with the desired value wherever the desired side leaves the choice to Marathon. */
function leftToMarathon(wanted: JsonObject, live: JsonObject, served: boolean): JsonObject {
  const container = objectIn(live.container);
  const wantedContainer = objectIn(wanted.container);
  return {
    maxLaunchDelaySeconds: 300,
    ...(wanted.role === undefined ? without(live, "role") : live),
    // A replacing PUT loses executorResources (reference 1.4.5), so their absence can never be mended.
    ...(served && live.executorResources === undefined && wanted.executorResources !== undefined
      ? { executorResources: wanted.executorResources }
      : {}),
    ...(live.networks === undefined
      ? {}
      : { networks: paired(wanted.networks, live.networks, defaultNetwork) }),
    ...(live.portDefinitions === undefined
      ? {}
      : { portDefinitions: paired(wanted.portDefinitions, live.portDefinitions, dynamicPorts) }),
    ...(container?.portMappings === undefined
      ? {}
      : {
          container: {
            ...container,
            portMappings: paired(wantedContainer?.portMappings, container.portMappings, dynamicPorts),
          },
        }),
  };
}

function paired(
  wanted: Json | undefined,
  live: Json,
  settle: (wanted: JsonObject, live: JsonObject) => JsonObject,
): Json {
  const wishes = new Map(objectsIn(wanted));
  return listIn(live).map((one, at) => {
    const wish = wishes.get(at);
    return wish && isJsonObject(one) ? settle(wish, one) : one;
  });
}

function dynamicPorts(wanted: JsonObject, live: JsonObject): JsonObject {
  const dynamic = ["port", "hostPort", "servicePort"].filter(
    (key) => wanted[key] === 0 && typeof live[key] === "number",
  );
  return { ...live, ...Object.fromEntries(dynamic.map((key) => [key, 0])) };
}

function defaultNetwork(wanted: JsonObject, live: JsonObject): JsonObject {
  return wanted.mode === "container" && wanted.name === undefined ? without(live, "name") : live;
}

/** The default was 3600 s before Marathon 1.8 and is 300 s since: where a file is silent, either is as wanted. */
function withLaunchDelay(wanted: JsonObject, live: JsonObject): JsonObject {
  const shown = live.maxLaunchDelaySeconds;
  const silent = wanted.maxLaunchDelaySeconds === undefined;
  return silent ? { ...wanted, maxLaunchDelaySeconds: shown === 3600 ? 3600 : 300 } : wanted;
}
