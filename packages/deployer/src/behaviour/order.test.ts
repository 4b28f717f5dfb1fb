import { afterEach, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const PROGRESSING = { health: "Progressing", message: "starting" } as const;
const HEALTHY = { health: "Healthy", message: "running" } as const;

function slow(world: World, ...ids: string[]) {
  world.apps.afterApply = (id) => (ids.includes(id) ? PROGRESSING : HEALTHY);
}

it("sends a job only once what it depends on is healthy, and others meanwhile", async () => {
  w = world();
  slow(w, "db");
  w.mirror.push({
    "apps/web.yaml": job("web", { sluice: { dependsOn: ["api"] } }),
    "apps/api.yaml": job("api", { sluice: { dependsOn: ["db"] } }),
    "apps/db.yaml": job("db"),
    "apps/other.yaml": job("other"),
  });
  w.start();
  await w.until(() => w.status("apps/other")?.reason === "Applied");
  expect(w.apps.writes.map(({ id }) => id)).toEqual(["db", "other"]);
  expect(w.states()).toMatchObject({
    "apps/api": "OutOfSync/Missing/Pending",
    "apps/db": "Synced/Progressing/Progressing",
  });
  w.apps.observe("db", HEALTHY);
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.apps.writes.map(({ id }) => id)).toEqual(["db", "other", "api", "web"]);
});

it("goes on at once when a scheduler says that a job turned healthy", async () => {
  w = world();
  slow(w, "db");
  w.mirror.push({
    "apps/web.yaml": job("web", { sluice: { dependsOn: ["db"] } }),
    "apps/db.yaml": job("db"),
  });
  w.start();
  await w.until(() => w.status("apps/db")?.reason === "Progressing");
  await w.clock.advance(20_000);
  const before = w.clock.now();
  w.apps.observe("db", HEALTHY);
  await w.idle();
  expect([w.deployment()?.state, w.clock.now()]).toEqual(["healthy", before]);
});

it("does not send what depends on a job that failed, and says so", async () => {
  w = world({ apps: { waitMs: 5_000 } });
  slow(w, "db");
  w.mirror.push({
    "apps/web.yaml": job("web", { sluice: { dependsOn: ["api"] } }),
    "apps/api.yaml": job("api", { sluice: { dependsOn: ["db"] } }),
    "apps/db.yaml": job("db"),
  });
  w.start();
  await w.until(() => w.deployment()?.state === "degraded");
  expect(w.states()).toEqual({
    "apps/db": "Synced/Degraded/HealthTimeout",
    "apps/api": "OutOfSync/Missing/DependencyNotReady",
    "apps/web": "OutOfSync/Missing/DependencyNotReady",
  });
  expect(w.apps.writes.map(({ id }) => id)).toEqual(["db"]);

  w.apps.observe("db", HEALTHY);
  await w.until(() => w.deployment()?.state === "healthy", "recovery", 120_000);
  expect(w.apps.writes.map(({ id }) => id)).toEqual(["db", "api", "web"]);
});

it("counts a dependency that is not being changed by how it does now", async () => {
  w = world();
  w.mirror.push({ "apps/db.yaml": job("db") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.apps.observe("db", { health: "Degraded", message: "out of memory" });
  await w.until(() => w.status("apps/db")?.reason === "Unhealthy");
  w.mirror.push({
    "apps/db.yaml": job("db"),
    "apps/web.yaml": job("web", { sluice: { dependsOn: ["db"] } }),
  });
  await w.until(() => w.status("apps/web")?.reason === "DependencyNotReady");
  expect(w.status("apps/web")?.message).toBe("apps/db is Degraded: out of memory");
  w.apps.observe("db", HEALTHY);
  await w.until(() => w.status("apps/web")?.reason === "Applied");
});

it("sends nothing of a target before the changed jobs of the targets it depends on are healthy", async () => {
  w = world();
  slow(w, "web");
  w.mirror.push({
    "deploy.yaml": "targets: { cron: { dependsOn: [apps] } }",
    "apps/web.yaml": job("web"),
    "cron/report.yaml": job("report"),
  });
  w.start();
  await w.until(() => w.status("apps/web")?.reason === "Progressing");
  expect([w.cron.writes.length, w.status("cron/report")?.reason]).toEqual([0, "Pending"]);
  w.apps.observe("web", HEALTHY);
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.cron.writes.map(({ id }) => id)).toEqual(["report"]);
});

it("keeps a target waiting, also in later rounds, while one it depends on failed in this revision", async () => {
  w = world({ apps: { waitMs: 5_000 } });
  slow(w, "web");
  w.mirror.push({
    "deploy.yaml": "targets: { cron: { dependsOn: [apps] } }",
    "apps/web.yaml": job("web"),
    "cron/report.yaml": job("report"),
  });
  w.start();
  await w.until(() => w.status("cron/report")?.reason === "DependencyNotReady");
  await w.round();
  await w.round();
  expect([w.cron.writes.length, w.status("cron/report")?.reason]).toEqual([0, "DependencyNotReady"]);
});

it("stalls jobs and targets that wait for each other instead of waiting for ever", async () => {
  w = world();
  w.mirror.push({
    "deploy.yaml": "targets: { cron: { dependsOn: [apps] } }",
    "apps/web.yaml": job("web", { sluice: { dependsOn: ["cron/report"] } }),
    "cron/report.yaml": job("report"),
  });
  w.start();
  await w.until(() => w.deployment()?.state === "stalled");
  expect(w.states()).toEqual({
    "apps/web": "OutOfSync/Unknown/DependencyCycle",
    "cron/report": "OutOfSync/Unknown/DependencyCycle",
  });
});

it("rolls out a chain of two thousand jobs", async () => {
  w = world();
  const files = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, at) => [
      `apps/${at}.yaml`,
      job(`${at}`, at === 0 ? {} : { sluice: { dependsOn: [`${at - 1}`] } }),
    ]),
  );
  w.mirror.push(files);
  w.start();
  await w.until(() => w.deployment()?.state === "healthy", "the chain", 600_000);
  expect(w.apps.writes.map(({ id }) => id)).toEqual(Object.keys(files).map((_, at) => `${at}`));
});
