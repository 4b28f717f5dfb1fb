import { isPathSpelling } from "../ids.ts";
import type { App, AppPatch, PortMapping } from "../model.ts";
import type { Profile } from "../profiles.ts";
import { type Violation, wrongShape } from "../refusal.ts";
import {
  anything,
  bool,
  type Fields,
  fallback,
  int,
  isRecord,
  list,
  map,
  num,
  object,
  oneOfForms,
  required,
  text,
} from "./readers.ts";

/** What a client sent, read but not yet translated: canonical fields and those of older versions. */
export interface SentApp extends AppPatch {
  version?: string;
  uris?: string[];
  ports?: number[];
  ipAddress?: { networkName?: string; labels?: Record<string, string> };
  container?: NonNullable<App["container"]> & {
    docker?: { image: string; network?: string; portMappings?: PortMapping[] };
  };
}

const path = text({ matches: isPathSpelling });
const texts = map(text());
const portName = text({ max: 63, matches: (name) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) });
const port = int(0, 65535);
const share = num(0, 1);
const protocol = text({ oneOf: ["tcp", "udp", "udp,tcp"] });

const portMapping = object({
  containerPort: fallback(port, 0),
  hostPort: port,
  servicePort: fallback(port, 0),
  protocol: fallback(protocol, "tcp"),
  name: portName,
  labels: fallback(texts, {}),
  networkNames: list(text()),
});

const container = object({
  type: fallback(text({ oneOf: ["DOCKER", "MESOS"] }), "DOCKER"),
  docker: object({
    image: required(text({ min: 1, max: 1024 })),
    forcePullImage: fallback(bool, false),
    privileged: fallback(bool, false),
    parameters: fallback(list(object({ key: required(text({ min: 1 })), value: required(text()) })), []),
    pullConfig: object({ secret: required(text()) }),
    network: text({ oneOf: ["HOST", "BRIDGE", "USER", "NONE"] }),
    portMappings: list(portMapping),
  }),
  portMappings: list(portMapping),
  volumes: fallback(list(object(volumeFields())), []),
});

function volumeFields(): Fields {
  return {
    containerPath: text({ min: 1 }),
    hostPath: text({ min: 1 }),
    mode: text({ oneOf: ["RO", "RW"] }),
    persistent: anything,
    external: anything,
    secret: text(),
  };
}

const HTTP_FAMILY = ["HTTP", "HTTPS"];
const healthCheckFields: Fields = {
  protocol: fallback(
    text({ oneOf: ["HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP"] }),
    "HTTP",
  ),
  path: text(),
  port,
  portIndex: int(0),
  command: object({ value: required(text({ min: 1 })) }),
  gracePeriodSeconds: fallback(int(0), 300),
  intervalSeconds: fallback(int(0), 60),
  timeoutSeconds: fallback(int(0), 20),
  maxConsecutiveFailures: fallback(int(0), 3),
  delaySeconds: fallback(int(0), 15),
  ignoreHttp1xx: bool,
  ipProtocol: fallback(text({ oneOf: ["IPv4", "IPv6"] }), "IPv4"),
};

const readHealthCheck = object(healthCheckFields);

const readinessCheck = object({
  name: fallback(text(), "readinessCheck"),
  protocol: fallback(text({ oneOf: HTTP_FAMILY }), "HTTP"),
  path: fallback(text(), "/"),
  portName: fallback(text(), "http-api"),
  intervalSeconds: fallback(int(1), 30),
  timeoutSeconds: fallback(int(1), 10),
  httpStatusCodesForReady: fallback(list(int(100, 999), 1), [200]),
  preserveLastResponse: fallback(bool, false),
});

const network = object({
  mode: fallback(text({ oneOf: ["host", "container", "container/bridge"] }), "container"),
  name: text({ min: 1 }),
  labels: texts,
});

const fetch = object({
  uri: required(text({ max: 1024 })),
  extract: fallback(bool, true),
  executable: fallback(bool, false),
  cache: fallback(bool, false),
  destPath: text(),
});

const portDefinition = object({
  port: fallback(port, 0),
  protocol: fallback(protocol, "tcp"),
  name: portName,
  labels: texts,
});

const unreachable = oneOfForms(
  [isRecord, object({ inactiveAfterSeconds: required(int(0)), expungeAfterSeconds: required(int(0)) })],
  [() => true, text({ oneOf: ["disabled"] })],
);

/** Every key of an app that Marathon 1.10 reads, with types, limits and the defaults of nested objects. */
const appFields: Fields = {
  id: path,
  cmd: text({ min: 1 }),
  args: list(text()),
  user: text(),
  instances: int(0),
  cpus: num(0.001),
  mem: num(0),
  disk: num(0),
  gpus: int(0),
  executor: text({ matches: (value) => /^$|^\/\/cmd$|^\/?[^/]+(\/[^/]+)*$/.test(value) }),
  executorResources: object({ cpus: num(0.1), mem: num(32), disk: num(10) }),
  resourceLimits: object({ cpus: anything, mem: anything }),
  role: text(),
  acceptedResourceRoles: list(text(), 1),
  env: map(oneOfForms([isRecord, object({ secret: required(text()) })], [() => true, text()])),
  secrets: map(object({ source: required(text({ min: 1 })) })),
  labels: texts,
  dependencies: list(path),
  constraints: list(list(text())),
  fetch: list(fetch),
  uris: list(text()),
  ports: list(port),
  portDefinitions: list(portDefinition),
  requirePorts: bool,
  networks: list(network),
  ipAddress: object({ networkName: text(), labels: texts, groups: list(text()), discovery: anything }),
  container,
  healthChecks: list(healthCheck),
  readinessChecks: list(readinessCheck),
  check: anything,
  backoffSeconds: int(0),
  backoffFactor: num(1),
  maxLaunchDelaySeconds: int(0),
  upgradeStrategy: object({ minimumHealthCapacity: required(share), maximumOverCapacity: required(share) }),
  killSelection: text({ oneOf: ["YOUNGEST_FIRST", "OLDEST_FIRST"] }),
  unreachableStrategy: unreachable,
  residency: anything,
  taskKillGracePeriodSeconds: int(0),
  tty: bool,
  version: text(),
};

/** Reads one app of a body, see `SentApp`. */
export const readApp = object(appFields);

/** @throws Refusal "Invalid JSON" with every wrong place. */
export function readSentApp(value: unknown, profile: Profile): SentApp {
  const found: Violation[] = [];
  const app = readApp(value, { path: "", found }) as SentApp;
  if (found.length > 0) throw wrongShape(profile.shapeErrorStatus, found);
  return knownTo(profile, app);
}

/** What a version of Marathon takes of an app, ignoring silently what came later. */
export function knownTo({ unknownFields }: Profile, app: SentApp): SentApp {
  if (unknownFields.length === 0) return app;
  return Object.fromEntries(Object.entries(app).filter(([key]) => !unknownFields.includes(key)));
}

function healthCheck(value: unknown, place: { path: string; found: Violation[] }): unknown {
  const check = readHealthCheck(value, place);
  const isHttp =
    isRecord(check) && typeof check.protocol === "string" && HTTP_FAMILY.includes(check.protocol);
  if (isHttp) check.ignoreHttp1xx ??= false;
  return check;
}
