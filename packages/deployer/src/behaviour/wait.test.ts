import { afterEach, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const HEALTHY = { health: "Healthy", message: "running" } as const;
const DEGRADED = { health: "Degraded", message: "crashes" } as const;
const PROGRESSING = { health: "Progressing", message: "starting" } as const;

async function running(options: Parameters<typeof world>[0] = {}) {
  w = world(options);
  w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }), "apps/api.yaml": job("api") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
}

it("a job that was healthy is Unhealthy when it degrades, found by a hint or by a round, and recovers", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.apps.observe("web", DEGRADED);
  await w.idle();
  expect([w.states(), w.deployment()?.state]).toEqual([
    { "apps/web": "Synced/Degraded/Unhealthy" },
    "degraded",
  ]);
  w.apps.observe("web", HEALTHY);
  await w.idle();
  expect([w.states(), w.deployment()?.state, w.apps.writes.length]).toEqual([
    { "apps/web": "Synced/Healthy/Applied" },
    "healthy",
    1,
  ]);
});

it("a job that takes long does not keep others from being looked after", async () => {
  await running({ apps: { waitMs: 600_000 } });
  w.apps.afterApply = (id) =>
    id === "web" ? { health: "Progressing", message: "starting" } : { health: "Healthy", message: "running" };
  w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }), "apps/api.yaml": job("api") });
  await w.until(() => w.status("apps/web")?.reason === "Progressing");
  w.apps.put("api", { id: "api", by: "hand" }, MARK);
  await w.round();
  expect(w.apps.jobs.get("api" as never)?.spec).toEqual({ id: "api" });
  expect([w.states(), w.deployment()?.state]).toEqual([
    { "apps/web": "Synced/Progressing/Progressing", "apps/api": "Synced/Healthy/Applied" },
    "progressing",
  ]);
  w.apps.observe("web", { health: "Healthy", message: "running" });
  await w.idle();
  expect([w.deployment()?.state, w.apps.writes.length]).toEqual(["healthy", 4]);
});

it("does not wait for a job that asks not to be waited for", async () => {
  w = world();
  w.apps.afterApply = (id) => (id === "db" ? PROGRESSING : HEALTHY);
  w.mirror.push({
    "apps/db.yaml": job("db", { sluice: { waitMs: 0 } }),
    "apps/web.yaml": job("web", { sluice: { dependsOn: ["db"] } }),
  });
  w.start();
  await w.until(() => w.status("apps/web")?.reason === "Applied");
  await w.round();
  expect(w.states()).toEqual({
    "apps/db": "Synced/Progressing/Progressing",
    "apps/web": "Synced/Healthy/Applied",
  });
});

it("a job has the time its file gives it, else its target's in deploy.yaml, else the engine's", async () => {
  w = world({ apps: { waitMs: 300_000 }, cron: { waitMs: 120_000 } });
  w.apps.afterApply = () => PROGRESSING;
  w.cron.afterApply = () => PROGRESSING;
  w.mirror.push({
    "deploy.yaml": "targets: { apps: { wait: 60s } }",
    "apps/quick.yaml": job("quick", { sluice: { waitMs: 10_000 } }),
    "apps/web.yaml": job("web"),
    "cron/report.yaml": job("report"),
  });
  w.start();
  await w.idle();
  const late = () =>
    ["apps/quick", "apps/web", "cron/report"].filter((key) => w.status(key)?.reason === "HealthTimeout");
  await w.clock.advance(15_000);
  const first = late();
  await w.clock.advance(50_000);
  const second = late();
  await w.clock.advance(60_000);
  expect([first, second, late()]).toEqual([
    ["apps/quick"],
    ["apps/quick", "apps/web"],
    ["apps/quick", "apps/web", "cron/report"],
  ]);
});
