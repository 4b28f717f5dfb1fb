import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";

let marathon: MarathonUnderTest;
beforeEach(async () => {
  marathon = await marathonUnderTest();
});
afterEach(() => marathon.close());

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const defaults = {
  backoffFactor: 1.15,
  backoffSeconds: 1,
  cpus: 1,
  disk: 0,
  executor: "",
  gpus: 0,
  instances: 1,
  killSelection: "YOUNGEST_FIRST",
  labels: {},
  maxLaunchDelaySeconds: 300,
  mem: 128,
  networks: [{ mode: "host" }],
  requirePorts: false,
  role: "*",
  unreachableStrategy: { expungeAfterSeconds: 0, inactiveAfterSeconds: 0 },
  upgradeStrategy: { maximumOverCapacity: 1, minimumHealthCapacity: 1 },
};

describe("POST /v2/apps", () => {
  it("creates an app, and answers with its normalised form, ports not assigned yet", async () => {
    const reply = await marathon.call("POST", "/v2/apps", { id: "shop//web/", cmd: "run web", typo: 1 });
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({
      ...defaults,
      id: "/shop/web",
      cmd: "run web",
      portDefinitions: [{ port: 0, name: "default", protocol: "tcp" }],
      version: expect.stringMatching(TIME),
      deployments: [{ id: expect.stringMatching(UUID) }],
      tasksStaged: 0,
      tasksRunning: 0,
      tasksHealthy: 0,
      tasksUnhealthy: 0,
    });
    expect(reply.headers).toMatchObject({
      location: `${marathon.server.address}/v2/apps/shop/web`,
      "marathon-deployment-id": reply.body.deployments[0].id,
      "cache-control": "no-cache, no-store, must-revalidate",
      pragma: "no-cache",
      expires: "0",
      "x-marathon-leader": marathon.server.address,
      "x-frame-options": "DENY",
      "x-xss-protection": "1; mode=block",
    });
  });

  it("shows the assigned port, the task and the versions on GET", async () => {
    await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run web" });
    await marathon.settled();
    const { body } = await marathon.call("GET", "/v2/apps/web");
    const version = body.app.version;
    expect(body.app).toEqual({
      ...defaults,
      id: "/web",
      cmd: "run web",
      portDefinitions: [{ port: 10000, name: "default", protocol: "tcp" }],
      version,
      versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
      deployments: [],
      tasksStaged: 0,
      tasksRunning: 1,
      tasksHealthy: 0,
      tasksUnhealthy: 0,
      tasks: [
        {
          id: expect.stringMatching(/^web\.instance-[0-9a-f-]{36}\._app\.1$/),
          appId: "/web",
          host: "127.0.0.1",
          ports: [31000],
          servicePorts: [10000],
          ipAddresses: [{ ipAddress: "127.0.0.1", protocol: "IPv4" }],
          slaveId: "embedded-S0",
          state: "TASK_RUNNING",
          stagedAt: expect.stringMatching(TIME),
          startedAt: expect.stringMatching(TIME),
          version,
          healthCheckResults: [],
          localVolumes: [],
          role: "*",
        },
      ],
    });
  });

  it.each<[string, unknown, number, unknown]>([
    ["text that is no JSON", "{", 400, { message: "Invalid JSON", details: expect.any(String) }],
    [
      "an empty body",
      " ",
      400,
      { message: "Please specify data in JSON format", details: expect.stringMatching(/^No content to map/) },
    ],
    [
      "a list",
      [],
      422,
      { message: "Invalid JSON", details: [{ path: "/", errors: ["error.expected.jsobject"] }] },
    ],
    [
      "wrong types and limits, all at once",
      {
        id: "/Web_1",
        cmd: "",
        instances: -1,
        cpus: "1",
        mem: null,
        gpus: 1.5,
        args: "x",
        labels: { a: 1 },
        portDefinitions: [{ port: 70000, name: "Bad Name" }],
        upgradeStrategy: { minimumHealthCapacity: 2 },
        killSelection: "ANY",
      },
      422,
      {
        message: "Invalid JSON",
        details: [
          { path: "/id", errors: ["error.pattern"] },
          { path: "/cmd", errors: ["error.minLength"] },
          { path: "/args", errors: ["error.expected.jsarray"] },
          { path: "/instances", errors: ["error.min"] },
          { path: "/cpus", errors: ["error.expected.jsnumber"] },
          { path: "/gpus", errors: ["error.expected.int"] },
          { path: "/labels/a", errors: ["error.expected.jsstring"] },
          { path: "/portDefinitions(0)/port", errors: ["error.max"] },
          { path: "/portDefinitions(0)/name", errors: ["error.pattern"] },
          { path: "/upgradeStrategy/minimumHealthCapacity", errors: ["error.max"] },
          {
            path: "/upgradeStrategy/maximumOverCapacity",
            errors: ["'maximumOverCapacity' is undefined on object: {\"minimumHealthCapacity\":2}"],
          },
          { path: "/killSelection", errors: ["error.unknown.enum.literal"] },
        ],
      },
    ],
    [
      "no id",
      { cmd: "run it" },
      422,
      {
        message: "Invalid JSON",
        details: [{ path: "/id", errors: ['\'id\' is undefined on object: {"cmd":"run it"}'] }],
      },
    ],
  ])("refuses %s", async (_, body, status, expected) => {
    const reply = await marathon.call("POST", "/v2/apps", body);
    expect([reply.status, reply.body]).toEqual([status, expected]);
  });

  it.each<[string, object, { path: string; errors: string[] }[]]>([
    [
      "neither command nor container",
      {},
      [
        {
          path: "/",
          errors: ["AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'."],
        },
      ],
    ],
    [
      "both cmd and args",
      { cmd: "run it", args: ["x"] },
      [
        {
          path: "/",
          errors: ["AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'."],
        },
      ],
    ],
    ["a cmd of one character", { cmd: "x" }, [{ path: "/", errors: ["must not be an empty string"] }]],
    [
      "a DOCKER container without an image",
      { cmd: "run it", container: {} },
      [{ path: "/container/docker", errors: ["not defined"] }],
    ],
    [
      "a reserved last segment",
      { id: "/a/tasks", cmd: "run it" },
      [
        {
          path: "/id",
          errors: [
            "must not end with any of the following reserved keywords: restart, tasks, versions, ., ..",
          ],
        },
      ],
    ],
    [
      "ports and names twice",
      {
        cmd: "run it",
        portDefinitions: [
          { port: 80, name: "http" },
          { port: 80, name: "http" },
        ],
      },
      [{ path: "/portDefinitions", errors: ["Port names must be unique.", "Ports must be unique."] }],
    ],
    [
      "a health check of a port that is not there",
      { cmd: "run it", healthChecks: [{ protocol: "TCP" }, { protocol: "HTTP", portIndex: 1 }] },
      [
        {
          path: "/healthChecks(1)",
          errors: [
            "Health check port indices must address an element of the ports array or container port mappings.",
          ],
        },
      ],
    ],
    [
      "a bad constraint",
      {
        cmd: "run it",
        constraints: [
          ["hostname", "UNIQUE", "x"],
          ["hostname", "MAX_PER", "x"],
        ],
      },
      [
        { path: "/constraints(0)", errors: ["UNIQUE does not accept a value"] },
        { path: "/constraints(1)", errors: ["MAX_PER requires an integer value"] },
      ],
    ],
    [
      "uris and fetch",
      { cmd: "run it", uris: ["/a"], fetch: [{ uri: "/b" }] },
      [{ path: "/uris", errors: ["may not be set in conjunction with fetch"] }],
    ],
    [
      "a readiness check of a port without that name",
      { cmd: "run it", readinessChecks: [{ portName: "admin" }] },
      [{ path: "/readinessChecks(0)/portName", errors: ["No port definition reference for portName admin"] }],
    ],
    [
      "a dependency on itself",
      { cmd: "run it", dependencies: ["/app"] },
      [{ path: "/", errors: ["Dependency graph has cyclic dependencies."] }],
    ],
  ])("refuses %s", async (_, body, details) => {
    const reply = await marathon.call("POST", "/v2/apps", { id: "/app", ...body });
    expect([reply.status, reply.body]).toEqual([422, { message: "Object is not valid", details }]);
    expect((await marathon.call("GET", "/v2/apps")).body).toEqual({ apps: [] });
  });

  it("refuses an id that is taken, and one at or below a path of another kind", async () => {
    await marathon.call("POST", "/v2/apps", { id: "/a/b", cmd: "run it" });
    const again = await marathon.call("POST", "/v2/apps", { id: "/a/b", cmd: "run it" });
    expect([again.status, again.body]).toEqual([409, { message: "An app with id [/a/b] already exists." }]);
    for (const id of ["/a", "/a/b/c"]) {
      const reply = await marathon.call("POST", "/v2/apps", { id, cmd: "run it" });
      expect([reply.status, reply.body.details[0].errors]).toEqual([
        422,
        ["Groups and Applications may not have the same identifier."],
      ]);
    }
  });

  it("refuses a body that is not said to be JSON", async () => {
    const reply = await marathon.call("POST", "/v2/apps", "x=1", {
      "content-type": "application/x-www-form-urlencoded",
    });
    expect([reply.status, reply.body]).toEqual([415, { message: "Unsupported Media Type" }]);
  });
});

describe("what GET makes of an app", () => {
  async function shown(app: object) {
    const created = await marathon.call("POST", "/v2/apps", { id: "/app", instances: 0, ...app });
    expect(created.body.message).toBeUndefined();
    await marathon.settled();
    return (await marathon.call("GET", "/v2/apps/app")).body.app;
  }

  it("omits empty values, but for labels", async () => {
    const app = await shown({
      cmd: "run it",
      args: [],
      env: {},
      fetch: [],
      constraints: [],
      healthChecks: [],
      labels: {},
      dependencies: [],
      user: null,
    });
    for (const key of [
      "args",
      "env",
      "fetch",
      "constraints",
      "healthChecks",
      "dependencies",
      "user",
      "uris",
      "ports",
    ])
      expect(app).not.toHaveProperty(key);
    expect(app.labels).toEqual({});
  });

  it.each<[string, object, object]>([
    [
      "uris become fetch, archives to be extracted",
      { cmd: "run it", uris: ["/x/a.tgz", "/x/b.jar"] },
      {
        fetch: [
          { uri: "/x/a.tgz", extract: true, executable: false, cache: false },
          { uri: "/x/b.jar", extract: false, executable: false, cache: false },
        ],
      },
    ],
    [
      "ports become port definitions",
      { cmd: "run it", ports: [8080, 0], requirePorts: true },
      {
        portDefinitions: [
          { port: 8080, protocol: "tcp" },
          { port: 10000, protocol: "tcp" },
        ],
        requirePorts: true,
      },
    ],
    [
      "an old bridged Docker app becomes canonical",
      {
        container: { docker: { image: "nginx", network: "BRIDGE", portMappings: [{ containerPort: 80 }] } },
        requirePorts: true,
      },
      {
        networks: [{ mode: "container/bridge" }],
        requirePorts: false,
        container: {
          type: "DOCKER",
          volumes: [],
          docker: { image: "nginx", forcePullImage: false, privileged: false, parameters: [] },
          portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 10000, protocol: "tcp", labels: {} }],
        },
      },
    ],
    [
      "relative dependencies become absolute, and checks get their defaults",
      { cmd: "run it", dependencies: ["db"], healthChecks: [{ path: "/" }], portDefinitions: [{ port: 0 }] },
      {
        dependencies: ["/db"],
        healthChecks: [
          {
            protocol: "HTTP",
            path: "/",
            portIndex: 0,
            gracePeriodSeconds: 300,
            intervalSeconds: 60,
            timeoutSeconds: 20,
            maxConsecutiveFailures: 3,
            delaySeconds: 15,
            ignoreHttp1xx: false,
            ipProtocol: "IPv4",
          },
        ],
      },
    ],
    [
      "a single-instance label lowers the upgrade strategy",
      { cmd: "run it", labels: { MARATHON_SINGLE_INSTANCE_APP: "true" } },
      { upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 } },
    ],
  ])("%s", async (_, sent, expected) => {
    expect(await shown(sent)).toMatchObject(expected);
  });

  it("has no port definitions off host mode", async () => {
    const app = await shown({
      container: { type: "MESOS", docker: { image: "x" } },
      networks: [{ mode: "container", name: "dcos" }],
    });
    expect(app).not.toHaveProperty("portDefinitions");
    expect(app.container.portMappings).toEqual([
      { containerPort: 0, servicePort: 10000, protocol: "tcp", name: "default", labels: {} },
    ]);
  });
});
