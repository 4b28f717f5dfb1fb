import { afterEach, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

it("leaves a job alone that it did not make, unless its file says to adopt it", async () => {
  w = world();
  w.apps.put("web", { id: "web", by: "hand" });
  w.apps.put("api", { id: "api", by: "another engine" }, "other-mark");
  w.mirror.push({ "apps/web.yaml": job("web"), "apps/api.yaml": job("api") });
  w.start();
  await w.until(() => w.deployment()?.state === "stalled");
  await w.round();
  expect(w.states()).toEqual({
    "apps/web": "OutOfSync/Healthy/NotOwned",
    "apps/api": "OutOfSync/Healthy/NotOwned",
  });
  expect(w.apps.writes).toEqual([]);
  w.mirror.push({ "apps/web.yaml": job("web", { sluice: { adopt: true } }) });
  await w.until(() => w.status("apps/web")?.reason === "Applied");
  expect([...w.apps.jobs.values()].map(({ id, owner, spec }) => [id, owner, spec])).toEqual([
    ["web", MARK, { id: "web" }],
    ["api", "other-mark", { id: "api", by: "another engine" }],
  ]);
});

it.each([
  [undefined, "nobody"],
  ["other-mark", "another engine"],
])(
  "taking over a job of the owner %s is said in the plan, by an event and in the status",
  async (mark, from) => {
    w = world();
    w.apps.put("web", { id: "web" }, mark);
    const revision = w.mirror.push({
      "apps/web.yaml": job("web", { sluice: { adopt: true, owner: "shop" } }),
    });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.events.of("deployment.planned").map(({ changes }) => changes)).toEqual([
      [{ kind: "update", key: "apps/web", fields: [], cause: "adopt" }],
    ]);
    expect(w.events.of("job.adopted").map(({ key, from, owner }) => ({ key, from, owner }))).toEqual([
      { key: "apps/web", from, owner: "shop" },
    ]);
    const waiting = w.events.of("job.changed").find(({ status }) => status.reason === "Pending");
    expect(waiting?.status.message).toBe("waits to be taken over: Sluice did not make this job");
    expect([w.status("apps/web")?.adopted, w.inventory()[0]?.adopted]).toEqual([revision, revision]);
    w.mirror.push({ "apps/web.yaml": job("web", { image: "2", sluice: { owner: "shop" } }) });
    await w.until(() => w.apps.writes.length === 2 && w.deployment()?.state === "healthy");
    expect([w.status("apps/web")?.adopted, w.inventory()[0]?.adopted]).toEqual([revision, revision]);
  },
);

it("a job that was taken over is removed like any other once Git no longer names it", async () => {
  w = world();
  w.apps.put("web", { id: "web" });
  w.mirror.push({ "apps/web.yaml": job("web", { sluice: { adopt: true } }), "apps/api.yaml": job("api") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.mirror.push({ "apps/api.yaml": job("api") });
  await w.until(() => w.apps.jobs.size === 1);
  expect([...w.apps.jobs.keys()]).toEqual(["api"]);
});
