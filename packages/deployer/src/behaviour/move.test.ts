import { afterEach, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const HEALTHY = { health: "Healthy", message: "running" } as const;
const DEGRADED = { health: "Degraded", message: "crashes" } as const;

function jobs(count: number, more: Record<string, string> = {}) {
  return {
    ...Object.fromEntries(Array.from({ length: count }, (_, at) => [`apps/${at}.yaml`, job(`${at}`)])),
    ...more,
  };
}

async function running(files: Record<string, string>, options: Parameters<typeof world>[0] = {}) {
  w = world(options);
  w.mirror.push(files);
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
}

function ids() {
  return [...w.apps.jobs.keys()].sort();
}

it("a folder that deploy.yaml moves to another name keeps its jobs", async () => {
  await running(jobs(3));
  const moved = Object.fromEntries(
    Object.entries(jobs(3)).map(([path, text]) => [path.replace("apps/", "marathon/"), text]),
  );
  w.mirror.push({ ...moved, "deploy.yaml": "targets: { apps: { folder: marathon } }" });
  await w.until(() => w.status("apps/0")?.file === "marathon/0.yaml");
  expect([ids(), w.apps.writes.length]).toEqual([["0", "1", "2"], 3]);
});

it("a job that moves to another file of its target is the same job", async () => {
  await running({ "apps/web.yaml": job("web"), "apps/api.yaml": job("api") });
  w.mirror.push({ "apps/shop/web.yaml": job("web"), "apps/api.yaml": job("api") });
  await w.until(() => w.status("apps/web")?.file === "apps/shop/web.yaml");
  await w.round();
  expect([ids(), w.apps.writes.length, w.states()["apps/web"]]).toEqual([
    ["api", "web"],
    2,
    "Synced/Healthy/Applied",
  ]);
  expect(w.inventory().map(({ key, file }) => [key, file])).toEqual([
    ["apps/api", "apps/api.yaml"],
    ["apps/web", "apps/shop/web.yaml"],
  ]);
});

it("a job that moves to another target runs there before it is removed from the old one", async () => {
  await running({ "apps/web.yaml": job("web"), "apps/api.yaml": job("api") }, { cron: { waitMs: 5_000 } });
  w.cron.afterApply = () => DEGRADED;
  w.mirror.push({ "cron/web.yaml": job("web"), "apps/api.yaml": job("api") });
  await w.until(() => w.status("cron/web")?.reason === "HealthTimeout");
  await w.round();
  await w.round();
  expect([ids(), [...w.cron.jobs.keys()], w.status("apps/web")?.message]).toEqual([
    ["api", "web"],
    ["web"],
    "is removed once its replacements are healthy: cron/web is not",
  ]);
  w.cron.observe("web", HEALTHY);
  await w.until(() => ids().length === 1, "the removal", 120_000);
  expect([ids(), [...w.cron.jobs.keys()], Object.keys(w.states())]).toEqual([
    ["api"],
    ["web"],
    ["apps/api", "cron/web"],
  ]);
});

it("jobs of one name that go from two targets at once do not wait for each other", async () => {
  await running({
    "apps/web.yaml": job("web"),
    "cron/web.yaml": job("web"),
    "apps/api.yaml": job("api"),
    "cron/report.yaml": job("report"),
  });
  w.mirror.push({ "apps/api.yaml": job("api"), "cron/report.yaml": job("report") });
  await w.until(() => ids().length + w.cron.jobs.size === 2);
});

it("jobs that move to another target count as removals: jobs of the same names may be there for other reasons", async () => {
  const many = (target: string) =>
    Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`${target}/${at}.yaml`, job(`${at}`)]));
  await running({ ...many("apps"), ...many("cron") });
  w.mirror.push(many("cron"));
  await w.until(() => w.status("apps/0")?.reason === "PrunePending");
  await w.round();
  expect(ids().length).toBe(8);
});
