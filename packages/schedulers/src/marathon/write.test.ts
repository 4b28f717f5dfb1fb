import { type JsonObject, jobId } from "@sluice/core";
import { expect, it } from "vitest";
import { type Answers, fakeMarathon as fake } from "./fake-marathon.ts";

const MARK = "production";
const [T1, T2, T3] = ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"];
const app = (cmd: string, at: string, mark = MARK): JsonObject => ({
  ...{ id: "/web", cmd, instances: 1, labels: { "sluice/owner": mark }, tasksRunning: 1, version: at },
  versionInfo: { lastConfigChangeAt: at, lastScalingAt: at },
});
const shows = (...apps: JsonObject[]): Answers => ({
  "GET /v2/apps/web": { inTurn: apps.map((one) => [200, { app: one }] as const) },
});
const LOCKED = [409, { message: "App is locked", deployments: [{ id: "d-1" }] }] as const;
const put = (...answers: (readonly [number, unknown])[]): Answers => ({
  "PUT /v2/apps/web": { inTurn: answers },
});
const running = (...affectedApps: string[]): Answers => ({
  "GET /v2/deployments": [200, [{ id: "d-1", affectedApps, affectedPods: [] }]],
  "DELETE /v2/deployments/d-1": [202, ""],
});

async function applied(answers: Answers, mark = MARK) {
  const { scheduler, lines } = await fake(answers);
  const [live] = await scheduler.list({ ids: [jobId("web")] });
  const request = { id: jobId("web"), spec: { id: "web", cmd: "new" }, mark, live, ignore: [] };
  return { done: scheduler.apply(request), lines };
}

it("answers with the app's new version, not the deployment's", async () => {
  const { done } = await applied({
    ...shows(app("old", T1), app("old", T1), app("new", T2)),
    ...put([200, { version: T2 }]),
  });
  expect(await done).toEqual({ version: `${T2} ${T2}` });
});

it("takes nothing for its own that somebody else wrote right after it", async () => {
  const { done } = await applied({
    ...shows(app("old", T1), app("old", T1), app("other", T3)),
    ...put([200, { version: T2 }]),
  });
  await expect(done).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
});

it("ends a rollout of the app alone, which may never end by itself, and writes the newer spec", async () => {
  const { done, lines } = await applied({
    ...shows(app("old", T1), app("old", T1), app("new", T2)),
    ...put(LOCKED, [200, { version: T2 }]),
    ...running("/web"),
  });
  await done;
  expect(lines()).toEqual([
    "PUT /v2/apps/web?partialUpdate=false&force=false",
    "DELETE /v2/deployments/d-1?force=true",
    "PUT /v2/apps/web?partialUpdate=false&force=false",
  ]);
});

it.each([
  ["that concerns others too", app("old", T1), running("/web", "/db")],
  ["of an app that is being taken over", app("old", T1, "staging"), running("/web")],
])("waits for a deployment %s, which it names", async (_which, present, deployments) => {
  const { done, lines } = await applied({ ...shows(present), ...put(LOCKED), ...deployments });
  await expect(done).rejects.toMatchObject({
    code: "SCHEDULER_LOCKED",
    message: "another deployment of the app is running: d-1",
  });
  expect(lines()).toEqual(["PUT /v2/apps/web?partialUpdate=false&force=false"]);
});

it("waits where as many deployments run as may", async () => {
  const limit = [403, { message: "Max number (100) of running deployments is achieved." }] as const;
  const { done, lines } = await applied({ ...shows(app("old", T1)), ...put(limit), ...running("/db") });
  await expect(done).rejects.toMatchObject({ code: "SCHEDULER_LOCKED" });
  expect(lines()).toHaveLength(1);
});

it("takes a login page's 200 for no write", async () => {
  const { done } = await applied({ ...shows(app("old", T1)), ...put([200, "<html>log in</html>"]) });
  await expect(done).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
});

it.each([
  ["POST", "/v2/apps", undefined],
  ["DELETE", "/v2/apps/web", app("old", T1)],
])("takes a proxy's page for no answer to %s", async (method, path, present) => {
  const { scheduler } = await fake({
    ...(present ? shows(present) : {}),
    [`${method} ${path}`]: [200, "<html></html>"],
  });
  const id = jobId("web");
  const done = present
    ? scheduler.remove({ id, mark: MARK })
    : scheduler.apply({ id, spec: { id: "web", cmd: "new" }, mark: MARK, live: undefined, ignore: [] });
  await expect(done).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
});

it("does not take a proxy's 404 for a removal", async () => {
  const { scheduler } = await fake({
    ...shows(app("old", T1)),
    "DELETE /v2/apps/web": [404, { message: "no such page" }],
  });
  const removal = scheduler.remove({ id: jobId("web"), mark: MARK });
  await expect(removal).rejects.toMatchObject({ code: "SCHEDULER_INVALID" });
});
