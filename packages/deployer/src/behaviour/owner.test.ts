import { afterEach, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

function owners() {
  return Object.fromEntries(["apps/web", "apps/api"].map((key) => [key, w.status(key)?.owner]));
}

it("the team that hears about a job stands in its status and in the events about it", async () => {
  w = world();
  const policy = "targets: { apps: { owner: platform } }";
  const api = { "apps/api.yaml": job("api"), "deploy.yaml": policy };
  w.mirror.push({ ...api, "apps/web.yaml": job("web", { sluice: { owner: "shop" } }) });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  expect(owners()).toEqual({ "apps/web": "shop", "apps/api": "platform" });
  const told = w.events.of("job.changed").map(({ key, status }) => `${key} ${status.owner}`);
  expect([...new Set(told)].sort()).toEqual(["apps/api platform", "apps/web shop"]);

  w.mirror.push({ ...api, "apps/web.yaml": job("web", { sluice: { owner: "checkout" } }) });
  await w.until(() => w.status("apps/web")?.owner === "checkout");
  expect(w.apps.writes.length).toBe(2);

  w.mirror.push({ ...api, "apps/web.yaml": "id: [" });
  await w.until(() => w.status("apps/web")?.reason === "InvalidSpec");
  expect(w.status("apps/web")?.owner).toBe("checkout");

  w.mirror.push(api);
  await w.until(() => w.apps.jobs.size === 1);
  expect(w.events.of("job.pruned").map(({ key, owner }) => [key, owner])).toEqual([["apps/web", "checkout"]]);
});
