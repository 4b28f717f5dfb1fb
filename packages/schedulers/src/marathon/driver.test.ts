import { type JsonObject, jobId } from "@sluice/core";
import { expect, it } from "vitest";
import { fakeMarathon as fake } from "./fake-marathon.ts";

const MARK = "production";
const app: JsonObject = {
  ...{ id: "/web", cmd: "old", instances: 5, labels: { "sluice/owner": MARK } },
  version: "2026-01-01T00:00:00.000Z",
  tasksRunning: 5,
};
const shown = { "GET /v2/apps/web": [200, { app }] } as const;

it("replaces an app whole and unforced, keeping what is left to others and the mark", async () => {
  const { scheduler, seen } = await fake({ ...shown, "PUT /v2/apps/web": [200, { version: "x" }] });
  const [live] = await scheduler.list({ ids: [jobId("web")] });
  const spec = { id: "web", cmd: "new", instances: 1 };
  await scheduler.apply({ id: jobId("web"), spec, mark: MARK, live, ignore: ["instances", "labels"] });
  expect(seen.find(([line]) => line.startsWith("PUT"))).toEqual([
    "PUT /v2/apps/web?partialUpdate=false&force=false",
    { id: "/web", cmd: "new", instances: 5, labels: { "sluice/owner": MARK } },
  ]);
});

const LIST = "&embed=apps.counts&embed=apps.deployments&embed=apps.lastTaskFailure";
const marked = (more = "") => `GET /v2/apps?label=sluice\\/owner==production${LIST}${more}`;

it("asks for marked apps with one request, and takes no other's where the selector is not obeyed", async () => {
  const other = { ...app, id: "/other", labels: { "sluice/owner": "staging" } };
  const settled = { ...app, tasksRunning: 0, instances: 0 };
  const { scheduler, seen } = await fake({ "GET /v2/apps": [200, { apps: [settled, other] }] });
  expect((await scheduler.list({ mark: MARK })).map((job) => job.id)).toEqual(["web"]);
  expect(seen.map(([line]) => decodeURIComponent(line)).sort()).toEqual([marked(), "GET /v2/pods/::status"]);
});

it("asks once after the tasks of an app that may have some of an earlier spec, and again when it moved", async () => {
  const moved = { ...app, version: "2026-01-02T00:00:00.000Z" };
  const { scheduler, lines } = await fake({
    "GET /v2/apps": { inTurn: [app, app, moved, moved].map((one) => [200, { apps: [one] }]) },
    "GET /v2/apps/web": { inTurn: [app, moved].map((one) => [200, { app: { ...one, tasks: [] } }]) },
  });
  for (let round = 0; round < 4; round++) await scheduler.list({ mark: MARK });
  expect(lines("with reads").filter((line) => line === "GET /v2/apps/web")).toHaveLength(2);
});

it("asks for statistics of all where many apps may have tasks of an earlier spec", async () => {
  const apps = Array.from({ length: 21 }, (_, at) => ({ ...app, id: `/web-${at}` }));
  const withStats = apps.map((one) => ({ ...one, tasksStats: {} }));
  const { scheduler, lines } = await fake({
    "GET /v2/apps": { inTurn: [apps, withStats, apps].map((some) => [200, { apps: some }]) },
  });
  for (let round = 0; round < 2; round++) await scheduler.list({ mark: MARK });
  const asked = lines("with reads").filter((line) => line.startsWith("GET /v2/apps"));
  expect(asked.map((line) => decodeURIComponent(line))).toEqual([
    marked(),
    marked("&embed=apps.taskStats"),
    marked(),
  ]);
});

it("reads many ids as one list", async () => {
  const stopped = { ...app, tasksRunning: 0 };
  const { scheduler, seen } = await fake({ "GET /v2/apps": [200, { apps: [stopped] }] });
  const ids = Array.from({ length: 21 }, (_, at) => jobId(`a-${at}`));
  expect((await scheduler.list({ ids: [...ids, jobId("web")] })).map((job) => job.id)).toEqual(["web"]);
  expect(seen.map(([line]) => line.split("?")[0]).sort()).toEqual([
    ...["GET /v2/apps", "GET /v2/pods/::status", "GET /v2/queue"],
  ]);
});

it.each([
  ["has not all it wants", { tasksRunning: 0 }],
  ["is being deployed", { deployments: [{ id: "d-1" }] }],
])("asks the launch queue only where an app %s, and does without it", async (_which, more) => {
  const waiting = { ...app, ...more };
  const { scheduler, seen } = await fake({
    "GET /v2/apps": [200, { apps: [waiting] }],
    "GET /v2/queue": [500, {}],
  });
  expect((await scheduler.list({ mark: MARK })).map((job) => job.observed.health)).toEqual(["Progressing"]);
  expect(seen.map(([line]) => line.split("?")[0]).at(-1)).toBe("GET /v2/queue");
  expect(seen.length).toBe(3);
});

it("undoes every running deployment of a cancelled app, unforced, and no other's", async () => {
  const { scheduler, lines } = await fake({
    "GET /v2/deployments": [
      200,
      [
        { id: "d-1", affectedApps: ["/web"] },
        { id: "d-2", affectedApps: ["/web", "/db"] },
        { id: "d-3", affectedApps: ["/db"] },
      ],
    ],
    "DELETE /v2/deployments/d-1": [200, {}],
    "DELETE /v2/deployments/d-2": [404, { message: "DeploymentPlan d-2 does not exist" }],
  });
  await scheduler.cancel?.(jobId("web"));
  expect(lines()).toEqual([
    "DELETE /v2/deployments/d-1?force=false",
    "DELETE /v2/deployments/d-2?force=false",
  ]);
});

it("never forces a removal, and says when the app is busy", async () => {
  const locked = { message: "App is locked", deployments: [{ id: "d-1" }] };
  const { scheduler, seen } = await fake({ ...shown, "DELETE /v2/apps/web": [409, locked] });
  await expect(scheduler.remove({ id: jobId("web"), mark: MARK })).rejects.toMatchObject({
    code: "SCHEDULER_LOCKED",
  });
  expect(seen.at(-1)?.[0]).toBe("DELETE /v2/apps/web?force=false");
});

it("writes nothing to a Marathon whose PUT cannot replace", async () => {
  const { scheduler, seen } = await fake({ "GET /v2/info": [200, { version: "1.3.9" }] });
  const request = { id: jobId("web"), spec: app, mark: MARK, live: undefined, ignore: [] };
  await expect(scheduler.apply(request)).rejects.toThrow(/1\.4 or newer/);
  expect(seen.map(([line]) => line)).toEqual(["GET /v2/info"]);
});

it.each([
  ["GET /v2/apps", 200, {}],
  ["GET /v2/apps", 200, { apps: {} }],
  ["GET /v2/apps", 200, { apps: [app, null] }],
  ["GET /v2/apps", 404, { message: "no such page" }],
  ["GET /v2/apps", 500, {}],
])("takes no list from %s %i %j", async (line, status, body) => {
  const { scheduler } = await fake({ [line]: [status, body] });
  await expect(scheduler.list({ mark: MARK })).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
});

it("does not take a proxy's 404 for an app that is gone", async () => {
  const { scheduler } = await fake({ "GET /v2/apps/web": [404, { message: "no such page" }] });
  await expect(scheduler.list({ ids: [jobId("web")] })).rejects.toMatchObject({
    code: "SCHEDULER_UNREACHABLE",
  });
});
