import type { JobId, JsonObject } from "@sluice/core";

type Specs = Readonly<Record<string, (id: JobId) => JsonObject>>;

const SMALL = { cpus: 0.1, mem: 32 };
const IMAGE = { docker: { image: "nginx:1" } };

/** Apps of every shape that a Marathon of this minor version takes. */
export function appSpecs(minor: number): Specs {
  const shapes: Readonly<Record<string, JsonObject>> = {
    "as little as can be said": { cmd: "sleep 10" },
    "no port at all": { cmd: "sleep 10", portDefinitions: [] },
    "given and dynamic ports": {
      cmd: "sleep 10",
      portDefinitions: [
        { port: 0, name: "http", labels: { VIP: "a" } },
        { port: 0, protocol: "udp" },
      ],
    },
    "everything that has a default, written out": {
      ...{ args: ["sleep", "10"], instances: 2, disk: 0, executor: "", requirePorts: false },
      ...{ backoffSeconds: 1, backoffFactor: 1.15, killSelection: "YOUNGEST_FIRST" },
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    },
    "texts, sets and mappings": {
      ...{
        cmd: "sleep 10",
        user: "nobody",
        labels: { team: "shop", "a/b.c": "" },
        env: { A: "b", EMPTY: "" },
      },
      ...{ taskKillGracePeriodSeconds: 3, maxLaunchDelaySeconds: 60, killSelection: "OLDEST_FIRST" },
      dependencies: ["/no/such/app", "/another"],
      acceptedResourceRoles: ["*"],
      fetch: [{ uri: "http://x/a.tgz" }, { uri: "http://x/b", extract: false, executable: true }],
      upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 },
    },
    "the deprecated uris and ports": {
      cmd: "sleep 10",
      uris: ["http://x/a.tgz", "http://x/b"],
      ports: [0, 0],
    },
    "an image": { container: { ...IMAGE, volumes: [{ containerPath: "/a", hostPath: "/b", mode: "RO" }] } },
    "an image with Docker's old bridge": {
      container: {
        docker: { ...IMAGE.docker, network: "BRIDGE", portMappings: [{ containerPort: 80 }] },
      },
    },
    ...(minor < 5 ? {} : CANONICAL),
    ...(minor < 6
      ? {}
      : {
          "its own executor": {
            ...{ cmd: "sleep 11", executorResources: { cpus: 0.2, mem: 64, disk: 20 } },
            constraints: [
              ["hostname", "LIKE", ".*"],
              ["hostname", "GROUP_BY"],
            ],
          },
        }),
    ...(minor < 8
      ? {}
      : { "a Mesos check": { cmd: "sleep 10", check: { exec: { command: { shell: "true" } } } } }),
    ...(minor < 10 ? {} : { limits: { cmd: "sleep 10", resourceLimits: { cpus: "unlimited", mem: 64 } } }),
  };
  return withIds(shapes, SMALL);
}

/** What is said this way since 1.5. */
const CANONICAL: Readonly<Record<string, JsonObject>> = {
  "an image on a bridge": {
    networks: [{ mode: "container/bridge" }],
    container: {
      ...IMAGE,
      portMappings: [
        { containerPort: 80, name: "http" },
        { containerPort: 0, hostPort: 0 },
      ],
    },
  },
  "an image on a network of its own": {
    networks: [{ mode: "container", name: "dcos" }],
    container: { ...IMAGE, type: "MESOS", portMappings: [{ containerPort: 80 }] },
  },
};

/** Pods of every shape. */
export function podSpecs(): Specs {
  const main = { name: "main", resources: SMALL, exec: { command: { shell: "sleep 10" } } };
  const shapes: Readonly<Record<string, JsonObject>> = {
    "one container": { containers: [main] },
    "two containers with endpoints": {
      containers: [
        {
          ...main,
          endpoints: [
            { name: "http", protocol: ["tcp"] },
            { name: "dns", protocol: ["udp"], labels: { a: "b" } },
          ],
        },
        {
          ...{ name: "side", image: { kind: "DOCKER", id: "side:1" }, environment: { A: "b" } },
          artifacts: [{ uri: "http://x/a.tgz" }],
          volumeMounts: [{ name: "data", mountPath: "/data" }],
        },
      ],
      volumes: [{ name: "data" }],
      environment: { A: "b" },
      labels: { team: "shop" },
    },
    "a bridge, more instances and a schedule": {
      ...{
        containers: [main],
        networks: [{ mode: "container/bridge" }],
        scaling: { kind: "fixed", instances: 2 },
      },
      scheduling: {
        backoff: { backoff: 2, backoffFactor: 2 },
        upgrade: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.5 },
        placement: {
          constraints: [
            { fieldName: "rack", operator: "GROUP_BY" },
            { fieldName: "hostname", operator: "LIKE", value: ".*" },
          ],
        },
        killSelection: "OLDEST_FIRST",
      },
    },
  };
  return withIds(shapes, {});
}

function withIds(shapes: Readonly<Record<string, JsonObject>>, common: JsonObject): Specs {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      (id: JobId) => ({ id: `/${id}`, ...common, ...shape }),
    ]),
  );
}
