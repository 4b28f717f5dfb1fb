import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";

let marathon: MarathonUnderTest;
beforeEach(async () => {
  marathon = await marathonUnderTest();
});
afterEach(() => marathon.close());

async function create(id: string, more: object = {}) {
  const reply = await marathon.call("POST", "/v2/apps", { id, cmd: "run it", ...more });
  expect(reply.status).toBe(201);
  await marathon.settled();
}

async function app(id: string) {
  return (await marathon.call("GET", `/v2/apps/${id}`)).body.app;
}

const NOT_THERE = { message: "App '/nowhere' does not exist" };

describe("PUT /v2/apps/{id}", () => {
  it("creates with 201 and a location, updates with 200", async () => {
    const created = await marathon.call("PUT", "/v2/apps//web", { id: "/ignored", cmd: "run it" });
    expect([created.status, Object.keys(created.body).sort()]).toEqual([201, ["deploymentId", "version"]]);
    expect(created.headers.location).toBe(`${marathon.server.address}/v2/apps/web`);
    await marathon.settled();
    const updated = await marathon.call("PUT", "/v2/apps/web", { instances: 2 });
    expect([updated.status, updated.headers["marathon-deployment-id"]]).toEqual([
      200,
      updated.body.deploymentId,
    ]);
  });

  it("keeps what it does not mention, replacing mentioned fields as a whole", async () => {
    await create("/web", { labels: { a: "1", b: "2" }, env: { X: "y" }, executorResources: { cpus: 0.1 } });
    await marathon.call("PUT", "/v2/apps/web", { labels: { c: "3" }, cmd: null });
    expect(await app("/web")).toMatchObject({ cmd: "run it", labels: { c: "3" }, env: { X: "y" } });
    expect((await app("/web")).labels).toEqual({ c: "3" });
    expect(await app("/web")).not.toHaveProperty("executorResources");
  });

  it("replaces the whole app when partialUpdate=false, keeping the assigned port", async () => {
    await create("/other");
    await create("/web", { labels: { a: "1" }, instances: 3 });
    await marathon.call("PUT", "/v2/apps/web?partialUpdate=false", { cmd: "run that" });
    await marathon.settled();
    expect(await app("/web")).toMatchObject({ cmd: "run that", labels: {}, instances: 1, tasksRunning: 1 });
    expect((await app("/web")).portDefinitions).toEqual([{ port: 10001, name: "default", protocol: "tcp" }]);
    const wrong = await marathon.call("PUT", "/v2/apps/web?partialUpdate=false", { instances: 2 });
    expect([wrong.status, wrong.body.message]).toEqual([422, "Object is not valid"]);
  });

  it("changes nothing when nothing differs, and still gives a version and a deployment", async () => {
    await create("/web", { labels: { a: "1" } });
    const { version, versionInfo } = await app("/web");
    const reply = await marathon.call("PUT", "/v2/apps/web?partialUpdate=false", {
      cmd: "run it",
      labels: { a: "1" },
    });
    expect(reply.status).toBe(200);
    expect(reply.body.version > version).toBe(true);
    expect((await marathon.call("GET", "/v2/deployments")).body).toEqual([]);
    expect(await app("/web")).toMatchObject({ version, versionInfo });
  });

  it("moves the versions as the kind of change asks", async () => {
    await create("/web");
    const first = (await app("/web")).versionInfo;
    const scaled = (await marathon.call("PUT", "/v2/apps/web", { instances: 2 })).body.version;
    expect((await app("/web")).versionInfo).toEqual({ ...first, lastScalingAt: scaled });
    await marathon.settled();
    const upgraded = (await marathon.call("PUT", "/v2/apps/web", { labels: { a: "1" } })).body.version;
    expect((await app("/web")).versionInfo).toEqual({
      lastScalingAt: upgraded,
      lastConfigChangeAt: upgraded,
    });
    await marathon.settled();
    const restarted = (await marathon.call("POST", "/v2/apps/web/restart")).body.version;
    expect(await app("/web")).toMatchObject({
      version: restarted,
      versionInfo: { lastScalingAt: upgraded, lastConfigChangeAt: restarted },
    });
    await marathon.settled();
    const versions = (await marathon.call("GET", "/v2/apps/web/versions")).body.versions;
    expect(versions).toEqual([restarted, upgraded, scaled, first.lastConfigChangeAt]);
    expect((await marathon.call("GET", `/v2/apps/web/versions/${scaled}`)).body).toMatchObject({
      instances: 2,
      labels: {},
    });
  });

  it("goes back to a stored version", async () => {
    await create("/web", { cmd: "one one" });
    const { version } = await app("/web");
    await marathon.call("PUT", "/v2/apps/web", { cmd: "two two" });
    await marathon.settled();
    const mixed = await marathon.call("PUT", "/v2/apps/web", { version, cmd: "x y" });
    expect([mixed.status, mixed.body.details]).toEqual([
      422,
      [{ path: "/", errors: ["The 'version' field may only be combined with the 'id' field."] }],
    ]);
    const unknown = await marathon.call("PUT", "/v2/apps/web", { version: "2001-01-01T00:00:00.000Z" });
    expect([unknown.status, unknown.body]).toEqual([
      404,
      { message: "App '/web' does not exist in version 2001-01-01T00:00:00.000Z" },
    ]);
    expect((await marathon.call("PUT", "/v2/apps/web", { version: "yesterday" })).status).toBe(422);
    expect((await marathon.call("PUT", "/v2/apps/web", { version })).status).toBe(200);
    expect((await app("/web")).cmd).toBe("one one");
  });
});

describe("PATCH", () => {
  it("changes a known app, and judges the body of an unknown one first", async () => {
    await create("/web");
    expect((await marathon.call("PATCH", "/v2/apps/web", { instances: 2 })).status).toBe(200);
    expect((await app("/web")).instances).toBe(2);
    expect((await marathon.call("PATCH", "/v2/apps/nowhere", { instances: 2 })).status).toBe(422);
    const known = await marathon.call("PATCH", "/v2/apps/nowhere", { cmd: "run it" });
    expect([known.status, known.body]).toEqual([404, NOT_THERE]);
  });

  it("of a list changes all or nothing", async () => {
    await create("/web");
    const reply = await marathon.call("PATCH", "/v2/apps", [
      { id: "/web", instances: 5 },
      { id: "/nowhere", cmd: "run it" },
    ]);
    expect([reply.status, reply.body]).toEqual([404, NOT_THERE]);
    expect((await app("/web")).instances).toBe(1);
  });
});

describe("PUT /v2/apps", () => {
  it("creates and updates in one plan, in the order of dependencies", async () => {
    await marathon.close();
    marathon = await marathonUnderTest({ startDelayMs: 60_000 });
    const reply = await marathon.call("PUT", "/v2/apps?partialUpdate=false", [
      { id: "/b", cmd: "run it", dependencies: ["/a"] },
      { id: "/a", cmd: "run it" },
    ]);
    expect([reply.status, Object.keys(reply.body).sort()]).toEqual([200, ["deploymentId", "version"]]);
    const [deployment] = (await marathon.call("GET", "/v2/deployments")).body;
    expect(deployment).toEqual({
      id: reply.body.deploymentId,
      version: reply.body.version,
      affectedApps: ["/b", "/a"],
      affectedPods: [],
      steps: [
        {
          actions: [
            { action: "StartApplication", app: "/b" },
            { action: "StartApplication", app: "/a" },
          ],
        },
        { actions: [{ action: "ScaleApplication", app: "/a" }] },
        { actions: [{ action: "ScaleApplication", app: "/b" }] },
      ],
      currentActions: [{ action: "ScaleApplication", app: "/a", readinessCheckResults: [] }],
      currentStep: 2,
      totalSteps: 3,
    });
  });

  it("tells the place of what is wrong, and applies nothing", async () => {
    const wrong = await marathon.call("PUT", "/v2/apps", [
      { id: "/a", cmd: "run it" },
      { id: "/b", instances: "1" },
      {},
    ]);
    expect([wrong.status, wrong.body.details]).toEqual([
      422,
      [{ path: "/(1)/instances", errors: ["error.expected.jsnumber"] }],
    ]);
    const unnamed = await marathon.call("PUT", "/v2/apps", [{ cmd: "run it" }]);
    expect([unnamed.status, unnamed.body.details[0].path]).toEqual([422, "/(0)/id"]);
    expect((await marathon.call("GET", "/v2/apps")).body.apps).toEqual([]);
  });
});

describe("what does not exist", () => {
  it.each<[string, string, number, unknown]>([
    ["GET", "/v2/apps/nowhere", 404, NOT_THERE],
    ["DELETE", "/v2/apps/nowhere", 404, NOT_THERE],
    ["POST", "/v2/apps/nowhere/restart", 404, NOT_THERE],
    ["GET", "/v2/apps/nowhere/versions", 404, NOT_THERE],
    ["GET", "/v2/apps/nowhere/tasks", 404, NOT_THERE],
    ["DELETE", "/v2/apps/nowhere/tasks", 404, NOT_THERE],
    ["GET", "/v2/apps/nowhere/*", 404, { message: "Group '/nowhere' does not exist" }],
    ["DELETE", "/v2/deployments/x", 404, { message: "DeploymentPlan x does not exist" }],
    [
      "DELETE",
      "/v2/queue//nowhere/delay",
      404,
      { message: "Application /nowhere not found in tasks queue." },
    ],
    ["GET", "/v2/unheard", 500, { message: "URI not found" }],
    ["POST", "/v2/info", 405, { message: "Method Not Allowed" }],
  ])("%s %s answers %d", async (method, path, status, body) => {
    const reply = await marathon.call(method, path);
    expect([reply.status, reply.body]).toEqual([status, body]);
  });
});

describe("GET /v2/apps", () => {
  beforeEach(async () => {
    await create("/shop/web", { cmd: "run Web", labels: { tier: "front", owner: "a" } });
    await create("/shop/db", { cmd: "run Db", labels: { tier: "back" } });
    await create("/cron", { cmd: "run cron" });
  });

  it.each([
    ["", ["/cron", "/shop/db", "/shop/web"]],
    ["?id=SHOP", ["/shop/db", "/shop/web"]],
    ["?cmd=web", ["/shop/web"]],
    ["?label=tier", ["/shop/db", "/shop/web"]],
    ["?label=tier==front", ["/shop/web"]],
    ["?label=tier!=front", ["/shop/db"]],
    ["?label=tier in (back, front),owner", ["/shop/web"]],
    ["?label=tier notin (back)", ["/shop/web"]],
  ])("filters %s", async (query, expected) => {
    const { body } = await marathon.call("GET", `/v2/apps${encodeURI(query)}`);
    expect(body.apps.map((one: { id: string }) => one.id).sort()).toEqual(expected);
  });

  it("refuses a selector it cannot read", async () => {
    expect((await marathon.call("GET", "/v2/apps?label=a===b")).status).toBe(422);
  });

  it("always shows counts and deployments, more when asked", async () => {
    const [plain] = (await marathon.call("GET", "/v2/apps?id=cron")).body.apps;
    expect(plain).toMatchObject({ tasksRunning: 1, deployments: [] });
    expect(plain).not.toHaveProperty("tasks");
    const query = "?id=cron&embed=apps.tasks&embed=readiness&embed=apps.taskStats&embed=unheard";
    const [full] = (await marathon.call("GET", `/v2/apps${query}`)).body.apps;
    expect(full).toMatchObject({
      tasks: [{ appId: "/cron", state: "TASK_RUNNING" }],
      readinessCheckResults: [],
      tasksStats: {
        totalSummary: { stats: { counts: { staged: 0, running: 1, healthy: 0, unhealthy: 0 } } },
      },
    });
  });

  it("shows a subtree, with its tasks", async () => {
    const subtree = (await marathon.call("GET", "/v2/apps/shop/*")).body["*"];
    expect(subtree.map((one: { id: string }) => one.id).sort()).toEqual(["/shop/db", "/shop/web"]);
    const { tasks } = (await marathon.call("GET", "/v2/apps/shop/*/tasks")).body;
    expect(tasks.map((one: { appId: string }) => one.appId).sort()).toEqual(["/shop/db", "/shop/web"]);
  });
});

describe("the server", () => {
  it("says who it is", async () => {
    const { address } = marathon.server;
    const leader = address.replace("http://", "");
    expect((await marathon.call("GET", "/ping")).body).toBe("pong");
    expect((await marathon.call("GET", "/v2/leader")).body).toEqual({ leader });
    expect((await marathon.call("GET", "/v2/info")).body).toMatchObject({
      name: "marathon",
      version: "1.10.26",
      elected: true,
      leader,
    });
  });
});
