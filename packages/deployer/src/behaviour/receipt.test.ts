import { afterEach, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const AT = "2026-01-01T00:00:01.000Z";

function ask(more: object = {}) {
  w.kv.set(w.layout.control("sync"), JSON.stringify({ at: AT, ...more }));
}

async function running() {
  w = world({ apps: { waitMs: 5_000 } });
  w.mirror.push({ "apps/web.yaml": job("web"), "cron/report.yaml": job("report") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
}

it("a sync is acknowledged in the deployment's record once everything was looked at and put right", async () => {
  await running();
  expect(w.deployment()?.syncedToken).toBe(undefined);
  w.apps.put("web", { id: "web", image: "changed" }, "sluice-test");
  w.apps.afterApply = () => ({ health: "Progressing", message: "starting" });
  ask();
  await w.until(() => w.status("apps/web")?.reason === "Progressing");
  expect(w.deployment()?.syncedToken).toBe(undefined);
  w.apps.observe("web", { health: "Healthy", message: "running" });
  await w.until(() => w.deployment()?.syncedToken === AT);
  expect([w.deployment()?.state, w.apps.jobs.get("web" as never)?.spec]).toEqual(["healthy", { id: "web" }]);
});

it("a sync that ends badly is acknowledged as well", async () => {
  await running();
  w.apps.drop("web");
  w.apps.afterApply = () => ({ health: "Degraded", message: "crashes" });
  ask();
  await w.until(() => w.deployment()?.syncedToken === AT);
  expect(w.deployment()?.state).toBe("degraded");
});

it("a sync is not acknowledged while a target does not answer", async () => {
  await running();
  w.cron.fault = () => "SCHEDULER_UNREACHABLE";
  ask();
  await w.round();
  expect(w.deployment()?.syncedToken).toBe(undefined);
  w.cron.fault = undefined;
  await w.until(() => w.deployment()?.syncedToken === AT);
});
