import { afterEach, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

async function running(options: Parameters<typeof world>[0] = {}) {
  w = world(options);
  w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }), "apps/api.yaml": job("api") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
}

it("puts right what somebody changed in the scheduler, and says that it did", async () => {
  await running();
  w.apps.put("web", { id: "web", image: "hand" }, MARK);
  await w.round();
  expect(w.apps.jobs.get("web" as never)?.spec).toEqual({ id: "web", image: "1" });
  expect(w.apps.writes.length).toBe(3);
  const reasons = w.events
    .of("job.changed")
    .filter(({ key }) => key === "apps/web")
    .map(({ status }) => status.reason);
  expect(reasons.slice(-3)).toEqual(["Drifted", "Progressing", "Applied"]);
  expect(w.events.of("deployment.finished").length).toBe(1);
});

it("makes a job that somebody removed anew", async () => {
  await running();
  w.apps.drop("web");
  await w.round();
  expect([...w.apps.jobs.keys()].sort()).toEqual(["api", "web"]);
});

it.each([
  ["the engine's configuration", { apps: { heal: false } }, undefined],
  ["deploy.yaml", {}, "targets: { apps: { heal: false } }"],
])("only reports drift where %s says so, yet follows Git", async (_, options, policy) => {
  w = world(options);
  const files = {
    "apps/web.yaml": job("web", { image: "1" }),
    "apps/api.yaml": job("api"),
    ...(policy ? { "deploy.yaml": policy } : {}),
  };
  w.mirror.push(files);
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.apps.put("web", { id: "web", image: "hand" }, MARK);
  w.apps.drop("api");
  await w.round();
  expect(w.states()).toEqual({
    "apps/web": "OutOfSync/Healthy/Drifted",
    "apps/api": "OutOfSync/Missing/Missing",
  });
  expect(w.apps.writes.length).toBe(2);
  w.mirror.push({ ...files, "apps/web.yaml": job("web", { image: "2" }) });
  await w.until(() => w.status("apps/web")?.reason === "Applied");
  expect(w.apps.jobs.get("web" as never)?.spec).toEqual({ id: "web", image: "2" });
});

it("leaves fields alone that a job leaves to others", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web", { instances: 1, sluice: { ignore: ["instances"] } }) });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.apps.put("web", { id: "web", instances: 9 }, MARK);
  await w.round();
  expect([w.apps.writes.length, w.apps.jobs.get("web" as never)?.spec.instances]).toEqual([1, 9]);
});

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

it("leaves alone what a person suspended, until it is resumed", async () => {
  await running();
  w.kv.set(w.layout.control("suspend"), JSON.stringify({ jobs: ["apps/web"] }));
  w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }), "apps/api.yaml": job("api", { image: "2" }) });
  await w.until(() => w.status("apps/web")?.reason === "Suspended");
  await w.until(() => w.status("apps/api")?.attempted === w.deployment()?.attempted);
  expect(w.apps.jobs.get("web" as never)?.spec.image).toBe("1");
  expect(w.apps.jobs.get("api" as never)?.spec.image).toBe("2");
  w.kv.unset(w.layout.control("suspend"));
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.apps.jobs.get("web" as never)?.spec.image).toBe("2");
});

it("does nothing while it cannot tell what is suspended", async () => {
  await running();
  w.kv.set(w.layout.control("suspend"), "{");
  w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
  await w.idle();
  await w.round();
  expect(w.apps.writes.length).toBe(2);
  expect(w.events.of("deployment.failed").map(({ code }) => code)).toEqual(["KV_RECORD_INVALID"]);
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

it("drift that waits for a dependency is not forgotten when other news comes in between", async () => {
  w = world({ apps: { waitMs: 600_000 } });
  const api = job("api", { sluice: { dependsOn: ["db"] } });
  const others = { "apps/web.yaml": job("web"), "apps/api.yaml": api };
  w.mirror.push({ ...others, "apps/db.yaml": job("db") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.apps.afterApply = (id) =>
    id === "db" ? { health: "Progressing", message: "starting" } : { health: "Healthy", message: "running" };
  w.mirror.push({ ...others, "apps/db.yaml": job("db", { image: "2" }) });
  await w.until(() => w.status("apps/db")?.reason === "Progressing");
  w.apps.put("api", { id: "api", by: "hand" }, MARK);
  await w.until(() => w.status("apps/api")?.reason === "Drifted", "drift", 120_000);
  await w.clock.advance(2_000);
  w.apps.observe("web", { health: "Degraded", message: "crashes" });
  await w.until(() => w.status("apps/web")?.reason === "Unhealthy");
  w.apps.observe("db", { health: "Healthy", message: "running" });
  await w.idle();
  expect([w.apps.jobs.get("api" as never)?.spec, w.status("apps/api")?.reason]).toEqual([
    { id: "api" },
    "Applied",
  ]);
});
