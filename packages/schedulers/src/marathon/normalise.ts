import { isJsonObject, type Json, type JsonObject } from "@sluice/core";
import { listIn, numberIn, objectIn, objectsIn, textIn, without, withoutNulls } from "../format/reading.ts";
import { absoluteId } from "./app-id.ts";
import { appSchema } from "./app-schema.ts";
import { MARK_LABEL } from "./mark.ts";
import { withCanonicalNetworking } from "./networking.ts";

const FIELDS = Object.keys(appSchema.shape);

/** Fields whose lists have no order in Marathon (reference 1.4.6). */
export const SET_FIELDS: ReadonlySet<string> = new Set([
  "constraints",
  "healthChecks",
  "dependencies",
  "acceptedResourceRoles",
]);

const DEFAULTS: JsonObject = {
  instances: 1,
  cpus: 1,
  mem: 128,
  disk: 0,
  gpus: 0,
  executor: "",
  backoffSeconds: 1,
  backoffFactor: 1.15,
  killSelection: "YOUNGEST_FIRST",
};

const HEALTH_CHECK: JsonObject = {
  protocol: "HTTP",
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  timeoutSeconds: 20,
  maxConsecutiveFailures: 3,
  delaySeconds: 15,
  ignoreHttp1xx: false,
  ipProtocol: "IPv4",
};

const READINESS_CHECK: JsonObject = {
  name: "readinessCheck",
  protocol: "HTTP",
  path: "/",
  portName: "http-api",
  intervalSeconds: 30,
  timeoutSeconds: 10,
  httpStatusCodesForReady: [200],
  preserveLastResponse: false,
};

/**
 * One form for a spec from a file and for one that Marathon shows (reference 1.4.6): fields Marathon makes and our mark
 * left out, deprecated forms translated, defaults filled in, and nulls and empty values, which Marathon takes for absent,
 * left out.
 */
export function normalised(spec: JsonObject): JsonObject {
  const given = withoutNulls(spec) as JsonObject;
  const app = withCanonicalNetworking(given);
  const known = Object.fromEntries(
    FIELDS.flatMap((key) => (app[key] === undefined ? [] : [[key, app[key]]])),
  );
  return withoutEmpties({
    ...without(known as JsonObject, "uris"),
    ...missing(known as JsonObject, DEFAULTS),
    id: absoluteId(textIn(app.id) ?? ""),
    labels: without(objectIn(app.labels) ?? {}, MARK_LABEL),
    fetch: fetchesOf(app),
    container: containerOf(app),
    upgradeStrategy: app.upgradeStrategy ?? upgradeDefault(app),
    unreachableStrategy: unreachableOf(app),
    healthChecks: objectsIn(app.healthChecks).map(([, check]) => healthCheckOf(check)),
    readinessChecks: objectsIn(app.readinessChecks).map(([, one]) => ({ ...READINESS_CHECK, ...one })),
    ...(isResident(app) && !app.residency ? { residency: RESIDENCY } : {}),
  });
}

const RESIDENCY = { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: "WAIT_FOREVER" };

function missing(app: JsonObject, defaults: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(defaults).filter(([key]) => app[key] === undefined));
}

const ARCHIVE = /\.(tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz|zip)$/;

function fetchesOf(app: JsonObject): Json {
  const given = objectsIn(app.fetch).map(([, one]) => one);
  const old = listIn(app.uris).map((uri) => ({ uri, extract: ARCHIVE.test(String(uri)) }));
  return (given.length > 0 ? given : old).map((one) => ({
    extract: true,
    executable: false,
    cache: false,
    ...one,
  }));
}

function containerOf(app: JsonObject): Json {
  const container = objectIn(app.container);
  if (!container) return {};
  const docker = objectIn(container.docker);
  return {
    type: docker ? "DOCKER" : "MESOS",
    ...container,
    ...(docker ? { docker: { forcePullImage: false, privileged: false, ...docker } } : {}),
    volumes: objectsIn(container.volumes).map(([, volume]) => volumeOf(volume)),
  };
}

function volumeOf(volume: JsonObject): JsonObject {
  const persistent = objectIn(volume.persistent);
  return persistent ? { mode: "RW", ...volume, persistent: { type: "root", ...persistent } } : volume;
}

function isResident(app: JsonObject): boolean {
  return objectsIn(objectIn(app.container)?.volumes).some(
    ([, one]) => objectIn(one.persistent) !== undefined,
  );
}

function upgradeDefault(app: JsonObject): JsonObject {
  if (objectIn(app.labels)?.MARATHON_SINGLE_INSTANCE_APP === "true")
    return { minimumHealthCapacity: 0, maximumOverCapacity: 0 };
  const volumes = objectsIn(objectIn(app.container)?.volumes);
  const stays = volumes.some(([, one]) => objectIn(one.persistent) ?? objectIn(one.external));
  return stays
    ? { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 }
    : { minimumHealthCapacity: 1, maximumOverCapacity: 1 };
}

function unreachableOf(app: JsonObject): Json {
  if (typeof app.unreachableStrategy === "string") return app.unreachableStrategy;
  if (isResident(app)) return "disabled";
  return { inactiveAfterSeconds: 0, expungeAfterSeconds: 0, ...objectIn(app.unreachableStrategy) };
}

/** Marathon fills in `portIndex: 0` for some checks and not for others, and a path of `/` is what it asks anyway. */
function healthCheckOf(check: JsonObject): JsonObject {
  const full: JsonObject = { ...HEALTH_CHECK, ...check };
  const asksPath = textIn(full.protocol)?.includes("HTTP");
  const plain = without(full, ...(numberIn(full.portIndex) === 0 ? ["portIndex"] : []));
  return asksPath ? { path: "/", ...plain } : plain;
}

/** The object without members that are empty, at any depth, which Marathon takes for absent. */
export function withoutEmpties(object: JsonObject): JsonObject {
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
    if (!empty) kept[key] = slim;
  }
  return kept;
}
