import type { JsonObject } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { compareApps } from "./compare-apps.ts";

const base: JsonObject = { id: "/shop/web", cmd: "sleep 1" };
/** What Marathon 1.10 shows of `base`. */
const served: JsonObject = {
  ...base,
  ...{ instances: 1, cpus: 1, mem: 128, disk: 0, gpus: 0, executor: "", labels: {}, requirePorts: false },
  ...{ backoffSeconds: 1, backoffFactor: 1.15, maxLaunchDelaySeconds: 300, killSelection: "YOUNGEST_FIRST" },
  upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
  unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
  networks: [{ mode: "host" }],
  portDefinitions: [{ port: 10_042, name: "default", protocol: "tcp" }],
  role: "*",
  version: "2026-01-01T00:00:00.000Z",
  versionInfo: { lastScalingAt: "2026-01-01T00:00:00.000Z", lastConfigChangeAt: "2026-01-01T00:00:00.000Z" },
};
const image = { docker: { image: "nginx" } };
const servedImage = {
  type: "DOCKER",
  docker: { image: "nginx", forcePullImage: false, privileged: false, parameters: [] },
  volumes: [],
};
const bridged = (...portMappings: JsonObject[]): JsonObject => ({
  networks: [{ mode: "container/bridge" }],
  portDefinitions: null,
  container: { ...servedImage, portMappings },
});
const mapped = { containerPort: 80, hostPort: 0, servicePort: 10_100, protocol: "tcp", labels: {} };
const check = {
  ...{ protocol: "HTTP", gracePeriodSeconds: 300, intervalSeconds: 60, timeoutSeconds: 20 },
  ...{ maxConsecutiveFailures: 3, delaySeconds: 15, ignoreHttp1xx: false, ipProtocol: "IPv4" },
};

const EQUAL: [string, JsonObject, JsonObject][] = [
  ["defaults that Marathon fills in", {}, {}],
  ["an id without its slash", { id: "shop/web" }, {}],
  ["a default that is written out", { instances: 1, backoffFactor: 1.15, executor: "" }, {}],
  ["null, absent and empty", { env: {}, constraints: [], labels: null }, { env: null, fetch: [] }],
  ["the mark", { labels: { a: "b" } }, { labels: { a: "b", "sluice/owner": "production" } }],
  ["1 and 1.0", { cpus: 1.0 }, { cpus: 1 }],
  ["the launch delay of older versions", {}, { maxLaunchDelaySeconds: 3600 }],
  [
    "the unreachable strategy of the first 1.4",
    {},
    { unreachableStrategy: { inactiveAfterSeconds: 300, expungeAfterSeconds: 600 } },
  ],
  ["a role that Marathon computes", {}, { role: "slave_public" }],
  [
    "a dynamic port",
    { portDefinitions: [{ port: 0, name: "http" }] },
    { portDefinitions: [{ port: 10_007, name: "http", protocol: "tcp" }] },
  ],
  [
    "deprecated ports",
    { ports: [0, 0] },
    {
      portDefinitions: [
        { port: 10_001, protocol: "tcp" },
        { port: 10_002, protocol: "tcp" },
      ],
    },
  ],
  [
    "deprecated uris",
    { uris: ["http://x/a.tgz", "http://x/b.txt"] },
    {
      fetch: [
        { uri: "http://x/a.tgz", extract: true, executable: false, cache: false },
        { uri: "http://x/b.txt", extract: false, executable: false, cache: false },
      ],
    },
  ],
  [
    "Docker's deprecated bridge network",
    { container: { docker: { image: "nginx", network: "BRIDGE", portMappings: [{ containerPort: 80 }] } } },
    bridged(mapped),
  ],
  [
    "assigned host and service ports",
    {
      networks: [{ mode: "container/bridge" }],
      container: { ...image, portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 0 }] },
    },
    bridged({ ...mapped, hostPort: 31_000 }),
  ],
  [
    "an omitted mapping",
    { networks: [{ mode: "container/bridge" }], container: image },
    bridged({ ...mapped, containerPort: 0, name: "default" }),
  ],
  [
    "the default container network",
    { networks: [{ mode: "container" }], container: { ...image, portMappings: [] } },
    {
      networks: [{ mode: "container", name: "dcos", labels: {} }],
      portDefinitions: null,
      container: { ...servedImage, portMappings: [] },
    },
  ],
  [
    "ipAddress",
    {
      container: { type: "MESOS" },
      ipAddress: {
        networkName: "dcos",
        discovery: { ports: [{ number: 80, name: "http", protocol: "tcp" }] },
      },
    },
    {
      networks: [{ mode: "container", name: "dcos" }],
      portDefinitions: null,
      container: {
        type: "MESOS",
        volumes: [],
        portMappings: [{ containerPort: 80, name: "http", protocol: "tcp", servicePort: 10_100, labels: {} }],
      },
    },
  ],
  ["container defaults", { container: image }, { container: servedImage }],
  [
    "sets in another order",
    {
      constraints: [
        ["hostname", "UNIQUE"],
        ["rack", "CLUSTER", "a"],
      ],
      dependencies: ["/a", "/b"],
    },
    {
      constraints: [
        ["rack", "CLUSTER", "a"],
        ["hostname", "UNIQUE"],
      ],
      dependencies: ["/b", "/a"],
    },
  ],
  [
    "health checks in another order, with defaults",
    { healthChecks: [{ path: "/" }, { protocol: "TCP", portIndex: 0 }] },
    {
      healthChecks: [
        { ...check, protocol: "TCP", portIndex: 0 },
        { ...check, portIndex: 0 },
      ],
    },
  ],
  [
    "a readiness check's defaults",
    { readinessChecks: [{ portName: "default" }] },
    {
      readinessChecks: [
        {
          name: "readinessCheck",
          protocol: "HTTP",
          path: "/",
          portName: "default",
          intervalSeconds: 30,
          timeoutSeconds: 10,
          httpStatusCodesForReady: [200],
          preserveLastResponse: false,
        },
      ],
    },
  ],
  [
    "the strategy of a single instance",
    { labels: { MARATHON_SINGLE_INSTANCE_APP: "true" } },
    {
      labels: { MARATHON_SINGLE_INSTANCE_APP: "true" },
      upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
    },
  ],
  ["executorResources, which a PUT loses", { executorResources: { cpus: 0.1, mem: 32, disk: 10 } }, {}],
  [
    "what Marathon counts",
    {},
    { tasksRunning: 3, deployments: [{ id: "x" }], lastTaskFailure: { message: "x" } },
  ],
];

const DIFFERENT: [string, JsonObject, JsonObject, string[]][] = [
  ["another command", { cmd: "sleep 2" }, {}, ["cmd"]],
  ["a scaled app", { instances: 3 }, { instances: 2 }, ["instances"]],
  ["a field that was left out and is not at its default", {}, { mem: 256 }, ["mem"]],
  [
    "one environment value",
    { env: { LEVEL: "info", KEPT: "x" } },
    { env: { LEVEL: "debug", KEPT: "x" } },
    ["env.LEVEL"],
  ],
  ["an added and a removed variable", { env: { A: "1" } }, { env: { B: "1" } }, ["env.A", "env.B"]],
  [
    "another image",
    { container: { docker: { image: "nginx:2" } } },
    { container: servedImage },
    ["container.docker.image"],
  ],
  [
    "a fixed port that is another one",
    { portDefinitions: [{ port: 80 }] },
    { portDefinitions: [{ port: 81, protocol: "tcp" }] },
    ["portDefinitions.0.port"],
  ],
  ["a label by hand", {}, { labels: { by: "hand" } }, ["labels"]],
  ["an order that counts", { cmd: null, args: ["a", "b"] }, { cmd: null, args: ["b", "a"] }, ["args"]],
  [
    "one field of a health check",
    { healthChecks: [{ path: "/a" }] },
    { healthChecks: [{ ...check, path: "/b", portIndex: 0 }] },
    ["healthChecks.0.path"],
  ],
  ["no ports where the default is one", { portDefinitions: [] }, {}, ["portDefinitions"]],
  ["a launch delay that is no default", {}, { maxLaunchDelaySeconds: 60 }, ["maxLaunchDelaySeconds"]],
  [
    "another network mode",
    { networks: [{ mode: "container/bridge" }], container: image },
    { container: servedImage },
    ["networks.0.mode", "container.portMappings", "portDefinitions"],
  ],
];

describe("compare", () => {
  it.each(EQUAL)("takes %s for the same", (_name, desired, live) => {
    expect(compareApps({ ...base, ...desired }, { ...served, ...live }, [])).toEqual([]);
  });

  it.each(DIFFERENT)("sees %s", (_name, desired, live, paths) => {
    const changes = compareApps({ ...base, ...desired }, { ...served, ...live }, []);
    expect(changes.map((change) => change.path).sort()).toEqual([...paths].sort());
  });

  it("says what it was and what it shall be", () => {
    expect(compareApps({ ...base, instances: 3 }, { ...served, instances: 2 }, [])).toEqual([
      { path: "instances", from: 2, to: 3 },
    ]);
  });

  it.each([
    ["instances", { instances: 3 }, {}],
    ["env.LEVEL", { env: { LEVEL: "a" } }, { env: { LEVEL: "b" } }],
    ["env", { env: { LEVEL: "a" } }, {}],
    [
      "labels.traefik.enable",
      { labels: { "traefik.enable": "true" } },
      { labels: { "traefik.enable": "false" } },
    ],
    [
      "portDefinitions.0.port",
      { portDefinitions: [{ port: 80 }] },
      { portDefinitions: [{ port: 81, protocol: "tcp" }] },
    ],
  ])("reports nothing under the ignored %s", (path, desired, live) => {
    const [wanted, present] = [{ ...base, ...desired } as JsonObject, { ...served, ...live } as JsonObject];
    expect(compareApps(wanted, present, [])).not.toEqual([]);
    expect(compareApps(wanted, present, [path])).toEqual([]);
  });

  it("compares two desired specs as well", () => {
    expect(compareApps({ ...base, maxLaunchDelaySeconds: 300 }, base, [])).toEqual([]);
    expect(compareApps({ ...base, mem: 64 }, base, [])).toEqual([{ path: "mem", from: 128, to: 64 }]);
  });
});
