import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";

let marathon: MarathonUnderTest;

beforeEach(async () => {
  marathon = await marathonUnderTest();
});

afterEach(() => marathon.close());

const app = (id: string, more: object = {}) => ({ id, cmd: "run it", ...more });

const SHOP = {
  id: "/shop",
  apps: [app("web", { dependencies: ["db/main"], instances: 3 })],
  groups: [{ id: "db", apps: [app("main")] }],
};

interface GroupBody {
  id: string;
  apps: { id: string; instances: number }[];
  groups: GroupBody[];
}

/** Every group and app below a path, groups with a slash at their end. */
async function tree(path = "/"): Promise<string[]> {
  const list = (group: GroupBody): string[] => [
    `${group.id}/`,
    ...group.apps.map((one) => one.id),
    ...group.groups.flatMap(list),
  ];
  return list((await marathon.call("GET", `/v2/groups${path}`)).body).sort();
}

async function shop(): Promise<string> {
  const { body } = await marathon.call("POST", "/v2/groups", SHOP);
  await marathon.settled();
  return body.version;
}

describe("a new group", () => {
  it("is made with all that is in it, in the order of dependencies", async () => {
    const dryRun = await marathon.call("PUT", "/v2/groups?dryRun=true", SHOP);
    expect([dryRun.status, dryRun.body]).toEqual([
      200,
      {
        steps: [
          {
            actions: [
              { action: "StartApplication", app: "/shop/web" },
              { action: "StartApplication", app: "/shop/db/main" },
            ],
          },
          { actions: [{ action: "ScaleApplication", app: "/shop/db/main" }] },
          { actions: [{ action: "ScaleApplication", app: "/shop/web" }] },
        ],
      },
    ]);
    expect(await tree()).toEqual(["//"]);

    const { status, headers, body } = await marathon.call("POST", "/v2/groups", SHOP);
    expect([status, Object.keys(body), headers["marathon-deployment-id"], headers.location]).toEqual([
      201,
      ["version", "deploymentId"],
      body.deploymentId,
      `${marathon.server.address}/v2/groups/shop`,
    ]);
    await marathon.settled();
    const shown = (await marathon.call("GET", "/v2/groups/shop")).body;
    expect(shown).toEqual({
      id: "/shop",
      apps: [
        expect.objectContaining({ id: "/shop/web", dependencies: ["/shop/db/main"], version: body.version }),
      ],
      pods: [],
      groups: [
        {
          id: "/shop/db",
          apps: [expect.objectContaining({ id: "/shop/db/main" })],
          pods: [],
          groups: [],
          dependencies: [],
          version: body.version,
        },
      ],
      dependencies: [],
      version: body.version,
    });
    const counts = await marathon.call("GET", "/v2/groups/shop?embed=group.apps&embed=group.apps.counts");
    expect([counts.body.apps[0].tasksRunning, counts.body.groups]).toEqual([3, []]);
    const apps = await marathon.call("GET", "/v2/groups/shop/apps");
    expect(apps.body.map((one: { id: string }) => one.id)).toEqual(["/shop/web", "/shop/db/main"]);
  });

  it("lets everything in it wait for what the group depends on", async () => {
    const { body } = await marathon.call("PUT", "/v2/groups?dryRun=true", {
      groups: [
        { id: "back", apps: [app("b")] },
        { id: "front", dependencies: ["../back", "/nowhere"], apps: [app("a")] },
      ],
    });
    expect(body.steps.slice(1)).toEqual([
      { actions: [{ action: "ScaleApplication", app: "/back/b" }] },
      { actions: [{ action: "ScaleApplication", app: "/front/a" }] },
    ]);
  });

  it.each<[string, number, string, object, number, unknown]>([
    ["POST", 0, "", { apps: [] }, 409, "Group / is already created. Use PUT to change this group."],
    ["POST", 1, "", SHOP, 409, "Group /shop is already created. Use PUT to change this group."],
    ["POST", 1, "/shop/web", { apps: [] }, 409, "An app with the path /shop/web already exists."],
    [
      "PUT",
      0,
      "/a",
      { apps: [app("/b/c")] },
      422,
      [{ path: "/apps", errors: ["Identifier is not child of '/a'"] }],
    ],
    [
      "PUT",
      0,
      "/a",
      { groups: [{ id: "b/c" }] },
      422,
      [{ path: "/groups", errors: ["Identifier is not child of '/a'"] }],
    ],
    [
      "PUT",
      0,
      "/a",
      { apps: [app("x")], groups: [{ id: "x" }] },
      422,
      [{ path: "/", errors: ["Groups and Applications may not have the same identifier."] }],
    ],
    [
      "PUT",
      0,
      "/a",
      {
        dependencies: ["/b"],
        apps: [app("x")],
        groups: [{ id: "g", apps: [app("y", { dependencies: ["/a/x"] })] }],
      },
      200,
      undefined,
    ],
    [
      "PUT",
      0,
      "",
      {
        groups: [
          { id: "a", dependencies: ["/b"], apps: [app("x")] },
          { id: "b", dependencies: ["/a"], apps: [app("y")] },
        ],
      },
      422,
      [{ path: "/", errors: ["Dependency graph has cyclic dependencies."] }],
    ],
    [
      "PUT",
      1,
      "/shop",
      { scaleBy: 2, apps: [] },
      422,
      [{ path: "/scaleBy", errors: ["not allowed in conjunction with other properties."] }],
    ],
    [
      "PUT",
      1,
      "/shop",
      { version: "2020-01-01T00:00:00.000Z", id: "/shop" },
      422,
      [{ path: "/version", errors: ["not allowed in conjunction with other properties."] }],
    ],
    [
      "PUT",
      1,
      "/shop",
      { version: "2020-01-01T00:00:00.000Z" },
      422,
      "Group /shop not available in version 2020-01-01T00:00:00.000Z",
    ],
    [
      "PUT",
      1,
      "/shop/db",
      { enforceRole: true },
      422,
      [{ path: "/enforceRole", errors: ["enforceRole can only be set for top-level groups"] }],
    ],
    [
      "PUT",
      0,
      "/a",
      { apps: [{ id: "x", instances: -1 }] },
      422,
      [{ path: "/apps(0)/instances", errors: ["error.min"] }],
    ],
    ["DELETE", 0, "/none", {}, 404, "Group '/none' does not exist"],
  ])("%s with %i shop at '%s' of %o is answered with %i", async (method, shops, path, body, status, told) => {
    if (shops > 0) await shop();
    const before = await tree();
    const answer = await marathon.call(method, `/v2/groups${path}`, body);
    expect([answer.status, answer.body.details ?? answer.body.message]).toEqual([status, told]);
    if (status > 200) expect(await tree()).toEqual(before);
  });
});

describe("PUT of a group", () => {
  it("replaces the lists that it names, and leaves those that it does not", async () => {
    await shop();
    await marathon.call("PUT", "/v2/groups/shop", { apps: [app("api")] });
    expect(await tree("/shop")).toEqual(["/shop/", "/shop/api", "/shop/db/", "/shop/db/main"]);
    await marathon.settled();
    await marathon.call("PUT", "/v2/groups/shop", { groups: [{ id: "cache", apps: [app("redis")] }] });
    expect(await tree("/shop")).toEqual(["/shop/", "/shop/api", "/shop/cache/", "/shop/cache/redis"]);
    await marathon.settled();
    expect(
      (await marathon.call("GET", "/v2/tasks")).body.tasks.map((one: { appId: string }) => one.appId),
    ).toEqual(["/shop/api", "/shop/cache/redis"]);
  });

  it("leaves unchanged apps alone, and says so in a dry run", async () => {
    const version = await shop();
    const dryRun = await marathon.call("PUT", "/v2/groups/shop?dryRun=true", { ...SHOP, id: undefined });
    expect(dryRun.body).toEqual({ steps: [] });
    await marathon.call("PUT", "/v2/groups", SHOP);
    expect((await marathon.call("GET", "/v2/apps/shop/web")).body.app.version).toBe(version);
  });

  it("scales every app below it, rounded up", async () => {
    await shop();
    expect((await marathon.call("PUT", "/v2/groups/shop", { scaleBy: 1.5 })).status).toBe(200);
    await marathon.settled();
    const { apps } = (await marathon.call("GET", "/v2/apps")).body;
    expect(apps.map((one: { id: string; tasksRunning: number }) => [one.id, one.tasksRunning])).toEqual([
      ["/shop/web", 5],
      ["/shop/db/main", 2],
    ]);
  });

  it("is refused while one of its apps is being deployed, unless it is forced", async () => {
    await marathon.close();
    marathon = await marathonUnderTest({ startDelayMs: 60_000 });
    const first = (await marathon.call("POST", "/v2/groups", SHOP)).body;
    const second = await marathon.call("PUT", "/v2/groups/shop", { scaleBy: 2 });
    expect([second.status, second.body.deployments]).toEqual([409, [{ id: first.deploymentId }]]);
    expect((await marathon.call("DELETE", "/v2/groups/shop")).status).toBe(409);
    expect((await marathon.call("DELETE", "/v2/groups/shop?force=true")).status).toBe(200);
    expect(await tree()).toEqual(["//"]);
  });
});

describe("the versions of a group", () => {
  it("are listed, shown, and gone back to", async () => {
    const first = await shop();
    await marathon.call("PUT", "/v2/groups/shop", { apps: [app("api")], groups: [] });
    await marathon.settled();
    const versions = (await marathon.call("GET", "/v2/groups/shop/versions")).body;
    expect([versions.length, versions.at(-1)]).toEqual([2, first]);

    const old = (await marathon.call("GET", `/v2/groups/shop/versions/${first}`)).body;
    expect(old).toMatchObject({
      id: "/shop",
      version: first,
      apps: [{ id: "/shop/web" }],
      groups: [{ id: "/shop/db", apps: [{ id: "/shop/db/main" }] }],
    });
    const unknown = await marathon.call("GET", "/v2/groups/shop/versions/2020-01-01T00:00:00.000Z");
    expect([unknown.status, unknown.body.message]).toEqual([
      404,
      "Group '/shop' does not exist in version 2020-01-01T00:00:00.000Z",
    ]);

    await marathon.restart();
    expect((await marathon.call("PUT", "/v2/groups/shop", { version: first })).status).toBe(200);
    await marathon.settled();
    expect(await tree("/shop")).toEqual(["/shop/", "/shop/db/", "/shop/db/main", "/shop/web"]);
    expect((await marathon.call("GET", "/v2/groups/versions")).body).toHaveLength(3);
  });

  it("are remembered to the number of fifty", async () => {
    for (let count = 0; count < 52; count++)
      await marathon.call("PUT", "/v2/groups/g", { apps: [app("a", { instances: count % 2 })] });
    expect((await marathon.call("GET", "/v2/groups/g/versions")).body).toHaveLength(50);
  });
});

it("takes a group back that a deployment made, with its dependencies, when that is rolled back", async () => {
  await marathon.close();
  marathon = await marathonUnderTest({ startDelayMs: 60_000 });
  await marathon.call("PUT", "/v2/groups/old", { dependencies: ["/before"] });
  const { deploymentId } = (
    await marathon.call("PUT", "/v2/groups", {
      groups: [
        { id: "old", dependencies: ["/after"] },
        { id: "new", apps: [app("a")] },
      ],
    })
  ).body;
  expect((await marathon.call("DELETE", `/v2/deployments/${deploymentId}`)).status).toBe(200);
  expect(await tree()).toEqual(["//", "/old/"]);
  expect((await marathon.call("GET", "/v2/groups/old")).body.dependencies).toEqual(["/before"]);
});

it("sets enforceRole of a top-level group by PATCH, with no body in the answer", async () => {
  await shop();
  const { status, body } = await marathon.call("PATCH", "/v2/groups/shop", { enforceRole: true });
  expect([status, body]).toEqual([200, ""]);
  expect((await marathon.call("GET", "/v2/groups/shop")).body.enforceRole).toBe(true);
  expect((await marathon.call("PATCH", "/v2/groups/shop/db", { enforceRole: true })).status).toBe(422);
});

it("empties everything when the root is deleted", async () => {
  await shop();
  expect((await marathon.call("DELETE", "/v2/groups")).status).toBe(200);
  await marathon.settled();
  expect([await tree(), (await marathon.call("GET", "/v2/tasks")).body]).toEqual([["//"], { tasks: [] }]);
});
