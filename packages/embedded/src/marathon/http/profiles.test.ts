import { afterEach, describe, expect, it } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";
import type { ProfileName } from "../profiles.ts";

let marathon: MarathonUnderTest | undefined;

async function speaking(profile: ProfileName): Promise<MarathonUnderTest> {
  marathon = await marathonUnderTest({ profile });
  return marathon;
}

afterEach(async () => {
  await marathon?.close();
  marathon = undefined;
});

const ALL: ProfileName[] = ["1.4.x", "1.5.x", "1.6.x", "1.8.x", "1.10.x"];

/** What each version answers where they differ, in the order of `ALL`. */
const differences: [string, (server: MarathonUnderTest) => Promise<unknown>, unknown[]][] = [
  [
    "its version",
    async ({ call }) => (await call("GET", "/v2/info")).body.version,
    ["1.4.11", "1.5.6", "1.6.567", "1.8.222", "1.10.26"],
  ],
  [
    "the status for JSON of the wrong shape",
    async ({ call }) => (await call("POST", "/v2/apps", { id: "/a", instances: -1 })).status,
    [400, 422, 422, 422, 422],
  ],
  [
    "the answer to an unknown route",
    async ({ call }) => {
      const { status, body } = await call("GET", "/v2/nothing");
      return `${status} ${body.message}`;
    },
    [
      "404 URI not found: /v2/nothing",
      "404 URI not found: /v2/nothing",
      "500 URI not found",
      "500 URI not found",
      "500 URI not found",
    ],
  ],
  [
    "an id that ends in a reserved word",
    async ({ call }) => (await call("POST", "/v2/apps", { id: "/a/restart", cmd: "run it" })).status,
    [201, 201, 201, 422, 422],
  ],
  [
    "the longest launch delay by default",
    async ({ call }) =>
      (await call("POST", "/v2/apps", { id: "/a", cmd: "run it" })).body.maxLaunchDelaySeconds,
    [3600, 3600, 3600, 300, 300],
  ],
  [
    "which newer fields it takes",
    async ({ call }) => {
      const fields = {
        networks: [{ mode: "container/bridge" }],
        executorResources: { cpus: 1 },
        check: { tcp: {} },
        resourceLimits: { cpus: 2 },
        role: "*",
      };
      const { body } = await call("POST", "/v2/apps", { id: "/a", cmd: "run it", ...fields });
      return Object.keys(fields).filter((key) => key in body);
    },
    [
      [],
      ["networks"],
      ["networks", "executorResources"],
      ["networks", "executorResources", "check"],
      ["networks", "executorResources", "check", "resourceLimits", "role"],
    ],
  ],
  [
    "the form of a task id",
    async (server) => {
      await server.call("POST", "/v2/apps", { id: "/a", cmd: "run it" });
      await server.settled();
      const { tasks } = (await server.call("GET", "/v2/tasks")).body;
      return tasks[0].id.replace(/-.*\._/, "-UUID._");
    },
    [
      "a.instance-UUID._app",
      "a.instance-UUID._app",
      "a.instance-UUID._app",
      "a.instance-UUID._app.1",
      "a.instance-UUID._app.1",
    ],
  ],
  [
    "the key of the statistics, and whether tasks have a role",
    async (server) => {
      await server.call("POST", "/v2/apps", { id: "/a", cmd: "run it" });
      await server.settled();
      const { app } = (await server.call("GET", "/v2/apps/a?embed=app.taskStats")).body;
      return [Object.keys(app).find((key) => /^tasks?Stats$/.test(key)), "role" in app.tasks[0]];
    },
    [
      ["taskStats", false],
      ["taskStats", false],
      ["taskStats", false],
      ["taskStats", false],
      ["tasksStats", true],
    ],
  ],
  [
    "event subscriptions",
    async ({ call }) => (await call("GET", "/v2/eventSubscriptions")).status,
    [400, 404, 500, 500, 500],
  ],
  [
    "PATCH of a group",
    async ({ call }) => (await call("PATCH", "/v2/groups/", {})).status,
    [405, 405, 405, 405, 422],
  ],
  [
    "what its deployment events hold, as they are and light, and whether a failure has a reason",
    async (server) => {
      const [full, light] = await Promise.all([
        server.events("?event_type=deployment_failed"),
        server.events("?event_type=deployment_failed&plan-format=light"),
      ]);
      await server.call("POST", "/v2/apps", {
        id: "/a",
        cmd: "run it",
        constraints: [["hostname", "CLUSTER", "no"]],
      });
      const { body } = await server.call("DELETE", "/v2/apps/a?force=true");
      expect(body.deploymentId).toEqual(expect.any(String));
      await expect.poll(() => [full.length, light.length], { timeout: 10_000 }).toEqual([1, 1]);
      const keys = [full, light].map(([event]) =>
        Object.keys((event?.plan as object) ?? {}).includes("target"),
      );
      return [...keys, "reason" in (full[0] ?? {})];
    },
    [
      [true, true, false],
      [true, true, false],
      [true, false, true],
      [false, false, true],
      [false, false, true],
    ],
  ],
];

describe("a version of Marathon has its own way with", () => {
  it.each(
    differences.flatMap(([about, ask, answers]) =>
      ALL.map((profile, index) => [about, profile, ask, answers[index]] as const),
    ),
  )("%s: %s", async (_, profile, ask, expected) => {
    expect(await ask(await speaking(profile))).toEqual(expected);
  });
});

describe("the form of an app before 1.5", () => {
  it("has every field, set or not", async () => {
    const { call } = await speaking("1.4.x");
    await call("POST", "/v2/apps", { id: "/a", cmd: "run it", uris: ["file:///x.tgz"], ports: [4000] });
    const { app } = (await call("GET", "/v2/apps/a")).body;
    const { tasks: _, versionInfo: __, version: ___, deployments: ____, ...shown } = app;
    expect(shown).toEqual({
      id: "/a",
      cmd: "run it",
      args: null,
      user: null,
      env: {},
      instances: 1,
      cpus: 1,
      mem: 128,
      disk: 0,
      gpus: 0,
      executor: "",
      constraints: [],
      fetch: [{ uri: "file:///x.tgz", extract: true, executable: false, cache: false }],
      uris: ["file:///x.tgz"],
      storeUrls: [],
      backoffSeconds: 1,
      backoffFactor: 1.15,
      maxLaunchDelaySeconds: 3600,
      container: null,
      healthChecks: [],
      readinessChecks: [],
      dependencies: [],
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      labels: {},
      ipAddress: null,
      residency: null,
      secrets: {},
      taskKillGracePeriodSeconds: null,
      acceptedResourceRoles: null,
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
      killSelection: "YOUNGEST_FIRST",
      ports: [4000],
      portDefinitions: [{ port: 4000, protocol: "tcp", labels: {} }],
      requirePorts: false,
      tasksStaged: expect.any(Number),
      tasksRunning: expect.any(Number),
      tasksHealthy: 0,
      tasksUnhealthy: 0,
    });
  });

  it("keeps the network of a Docker container inside it", async () => {
    const { call } = await speaking("1.4.x");
    const docker = { image: "nginx", network: "BRIDGE", portMappings: [{ containerPort: 80 }] };
    await call("POST", "/v2/apps", {
      id: "/a",
      container: { docker },
      healthChecks: [{ path: "/" }],
    });
    const { app } = (await call("GET", "/v2/apps/a")).body;
    expect(app.container).toEqual({
      type: "DOCKER",
      volumes: [],
      docker: {
        image: "nginx",
        network: "BRIDGE",
        portMappings: [
          { containerPort: 80, hostPort: 0, servicePort: app.ports[0], protocol: "tcp", labels: {} },
        ],
        forcePullImage: false,
        privileged: false,
        parameters: [],
      },
    });
    expect([app.networks, Object.keys(app.healthChecks[0]).sort()]).toEqual([
      undefined,
      [
        ...["gracePeriodSeconds", "ignoreHttp1xx", "intervalSeconds", "maxConsecutiveFailures"],
        ...["path", "portIndex", "protocol", "timeoutSeconds"],
      ],
    ]);
  });

  it("has an ipAddress and no ports on a network of its own", async () => {
    const { call } = await speaking("1.4.x");
    await call("POST", "/v2/apps", { id: "/a", cmd: "run it", ipAddress: { networkName: "blue" } });
    const { app } = (await call("GET", "/v2/apps/a")).body;
    expect([app.ipAddress, "ports" in app, "portDefinitions" in app]).toEqual([
      { networkName: "blue", labels: {}, groups: [], discovery: { ports: [] } },
      false,
      false,
    ]);
  });
});
