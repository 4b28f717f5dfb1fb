import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";

let marathon: MarathonUnderTest;

beforeEach(async () => {
  marathon = await marathonUnderTest();
});

afterEach(() => marathon.close());

const POD = {
  id: "/shop/pod",
  scaling: { kind: "fixed", instances: 2 },
  containers: [
    {
      name: "web",
      exec: { command: { shell: "serve" } },
      resources: { cpus: 0.5, mem: 64 },
      endpoints: [{ name: "http", containerPort: 80 }],
      healthCheck: { http: { endpoint: "http", path: "/ok" } },
    },
    { name: "log", exec: { command: { argv: ["log", "it"] } } },
  ],
};

describe("a pod", () => {
  it("is created with its defaults", async () => {
    const { status, headers, body } = await marathon.call("POST", "/v2/pods", POD);
    expect([status, headers["marathon-deployment-id"]]).toEqual([201, expect.any(String)]);
    expect(body).toEqual({
      id: "/shop/pod",
      labels: {},
      containers: [
        {
          name: "web",
          exec: { command: { shell: "serve" } },
          resources: { cpus: 0.5, mem: 64, disk: 0, gpus: 0 },
          endpoints: [{ name: "http", containerPort: 80, hostPort: 0, protocol: ["tcp"], labels: {} }],
          healthCheck: {
            http: { endpoint: "http", path: "/ok" },
            gracePeriodSeconds: 300,
            intervalSeconds: 60,
            maxConsecutiveFailures: 3,
            timeoutSeconds: 20,
            delaySeconds: 15,
          },
        },
        {
          name: "log",
          exec: { command: { argv: ["log", "it"] } },
          resources: { cpus: 1, mem: 128, disk: 0, gpus: 0 },
        },
      ],
      networks: [{ mode: "host" }],
      scaling: { kind: "fixed", instances: 2 },
      scheduling: {
        backoff: { backoff: 1, backoffFactor: 1.15, maxLaunchDelay: 300 },
        upgrade: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
        placement: { constraints: [], acceptedResourceRoles: [] },
        killSelection: "YOUNGEST_FIRST",
        unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
      },
      executorResources: { cpus: 0.1, mem: 32, disk: 10 },
      role: "*",
      version: expect.any(String),
    });
    expect((await marathon.call("GET", "/v2/pods//shop/pod")).body).toEqual(body);
    expect((await marathon.call("GET", "/v2/pods")).body).toEqual([body]);
    expect((await marathon.call("HEAD", "/v2/pods")).status).toBe(200);
  });

  it("has a status of its own and of every instance and container", async () => {
    await marathon.call("POST", "/v2/pods", POD);
    await marathon.settled();
    const { body } = await marathon.call("GET", "/v2/pods/shop/pod::status");
    expect(body).toMatchObject({ id: "/shop/pod", status: "STABLE", spec: { id: "/shop/pod" } });
    expect(body.instances).toHaveLength(2);
    expect(body.instances[0]).toMatchObject({
      status: "STABLE",
      containers: [
        {
          name: "web",
          status: "TASK_RUNNING",
          containerId: `${body.instances[0].id}.web.1`,
          endpoints: [{ name: "http", allocatedHostPort: expect.any(Number), healthy: true }],
        },
        { name: "log", status: "TASK_RUNNING", endpoints: [] },
      ],
    });
    expect((await marathon.call("GET", "/v2/pods/::status")).body).toHaveLength(1);
  });

  it("is shown in its group and among the deployments, but not as an app", async () => {
    await marathon.close();
    marathon = await marathonUnderTest({ startDelayMs: 60_000 });
    await marathon.call("POST", "/v2/pods", POD);
    const [deployment] = (await marathon.call("GET", "/v2/deployments")).body;
    expect(deployment).toMatchObject({
      affectedApps: [],
      affectedPods: ["/shop/pod"],
      steps: [
        { actions: [{ action: "StartPod", pod: "/shop/pod" }] },
        { actions: [{ action: "ScalePod", pod: "/shop/pod" }] },
      ],
    });
    const group = (await marathon.call("GET", "/v2/groups/shop")).body;
    expect([group.apps, group.pods.map((one: { status: string }) => one.status)]).toEqual([[], ["DEGRADED"]]);
    expect((await marathon.call("GET", "/v2/apps")).body).toEqual({ apps: [] });
    expect((await marathon.call("GET", "/v2/apps/shop/pod")).status).toBe(404);
    expect((await marathon.call("GET", "/v2/tasks")).body).toEqual({ tasks: [] });
  });

  it("is replaced as a whole by PUT, which creates what is not there, with 200", async () => {
    expect((await marathon.call("PUT", "/v2/pods/shop/pod", POD)).status).toBe(200);
    await marathon.settled();
    const before = (await marathon.call("GET", "/v2/pods/shop/pod::status")).body.instances;
    const changed = { ...POD, scaling: { kind: "fixed", instances: 1 }, labels: { a: "b" } };
    const { status, body } = await marathon.call("PUT", "/v2/pods/shop/pod", changed);
    expect([status, body.labels, body.scaling.instances]).toEqual([200, { a: "b" }, 1]);
    await marathon.settled();
    const after = (await marathon.call("GET", "/v2/pods/shop/pod::status")).body.instances;
    expect(after).toHaveLength(1);
    expect(before.map((one: { id: string }) => one.id)).not.toContain(after[0].id);
    const versions = (await marathon.call("GET", "/v2/pods/shop/pod::versions")).body;
    expect(versions).toEqual([body.version, before[0].specReference.split("/").at(-1)]);
    const old = await marathon.call("GET", `/v2/pods/shop/pod::versions/${versions[1]}`);
    expect([old.body.labels, old.body.scaling.instances]).toEqual([{}, 2]);
  });

  it("has single instances killed, and is deleted with 202 and no body", async () => {
    await marathon.call("POST", "/v2/pods", POD);
    await marathon.settled();
    const [one, two] = (await marathon.call("GET", "/v2/pods/shop/pod::status")).body.instances;
    const single = await marathon.call("DELETE", `/v2/pods/shop/pod::instances/${one.id}?wipe=true`);
    expect([single.status, single.body.id]).toEqual([200, one.id]);
    const list = await marathon.call("DELETE", "/v2/pods/shop/pod::instances", [two.id, "none"]);
    expect(list.body.map((killed: { id: string }) => killed.id)).toEqual([two.id]);
    expect((await marathon.call("DELETE", "/v2/pods/shop/pod::instances/none")).status).toBe(404);

    const { status, headers, body } = await marathon.call("DELETE", "/v2/pods/shop/pod");
    expect([status, body, headers.location]).toEqual([202, "", headers["marathon-deployment-id"]]);
    const gone = await marathon.call("GET", "/v2/pods/shop/pod");
    expect([gone.status, JSON.parse(gone.body.message)]).toEqual([
      404,
      { message: "Pod '/shop/pod' does not exist" },
    ]);
  });

  it("tells of its creation, change and end", async () => {
    const seen = await marathon.events(
      "?event_type=pod_created_event&event_type=pod_updated_event&event_type=pod_deleted_event",
    );
    await marathon.call("POST", "/v2/pods", POD);
    await marathon.call("PUT", "/v2/pods/shop/pod?force=true", { ...POD, labels: { a: "b" } });
    await marathon.call("DELETE", "/v2/pods/shop/pod?force=true");
    await expect
      .poll(() => seen.map((one) => [one.eventType, one.uri]), { timeout: 10_000 })
      .toEqual([
        ["pod_created_event", "/v2/pods"],
        ["pod_updated_event", "/v2/pods/shop/pod?force=true"],
        ["pod_deleted_event", "/v2/pods/shop/pod?force=true"],
      ]);
  });

  it.each<[string, object, number, unknown]>([
    ["that exists", POD, 409, "A pod with id [/shop/pod] already exists."],
    [
      "of an app's id",
      { ...POD, id: "/an/app" },
      422,
      [{ path: "/", errors: ["Applications and Pods may not share the same id"] }],
    ],
    [
      "without containers",
      { id: "/p", containers: [] },
      422,
      [{ path: "/containers", errors: ["error.minLength"] }],
    ],
    [
      "with a check of two kinds and no pause",
      {
        id: "/p",
        containers: [
          {
            name: "a",
            healthCheck: {
              exec: { command: { shell: "x" } },
              tcp: { endpoint: "none" },
              timeoutSeconds: 5,
              intervalSeconds: 5,
            },
          },
        ],
      },
      422,
      [
        {
          path: "/containers(0)/healthCheck",
          errors: [
            "must specify exactly one health check",
            "timeoutSeconds must be less than intervalSeconds",
          ],
        },
        { path: "/containers(0)/healthCheck/endpoint", errors: ["contained value not found"] },
      ],
    ],
    [
      "with twins",
      { id: "/p", containers: [{ name: "a" }, { name: "a" }] },
      422,
      [{ path: "/containers", errors: ["container names must be unique"] }],
    ],
  ])("%s is refused", async (_, body, status, told) => {
    await marathon.call("POST", "/v2/pods", POD);
    await marathon.call("POST", "/v2/apps", { id: "/an/app", cmd: "run it" });
    const answer = await marathon.call("POST", "/v2/pods", body);
    expect([answer.status, answer.body.details ?? answer.body.message]).toEqual([status, told]);
  });

  it("is not PUT under another id", async () => {
    expect((await marathon.call("PUT", "/v2/pods/other", POD)).status).toBe(400);
  });
});
