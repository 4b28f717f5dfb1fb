import type { Observation } from "@sluice/core";
import { afterEach, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const HEALTHY: Observation = { health: "Healthy", message: "running" };
const DEGRADED: Observation = { health: "Degraded", message: "crashes" };

const BACK = { sluice: { onFailure: "rollback" } };

function web(image: string, more: object = BACK) {
  return { "apps/web.yaml": job("web", { image, ...more }) };
}

function image() {
  return w.apps.jobs.get("web" as never)?.spec.image;
}

function images() {
  return w.apps.writes.map(({ spec }) => spec?.image);
}

/** A job that was healthy with the image "1"; "bad" never is. */
async function running(more: object = BACK) {
  w = world({ apps: { waitMs: 5_000 } });
  w.apps.afterApply = (_, spec) => (String(spec.image).startsWith("bad") ? DEGRADED : HEALTHY);
  const first = w.mirror.push(web("1", more));
  const engine = w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  return { first, engine };
}

it("a spec that fails gives way to the last healthy one, and the status says both", async () => {
  const { first } = await running();
  const second = w.mirror.push(web("bad"));
  await w.until(() => w.status("apps/web")?.health === "Healthy" && image() === "1" && images().length === 3);
  await w.until(() => w.deployment()?.state === "degraded");
  expect([w.states(), images()]).toEqual([{ "apps/web": "OutOfSync/Healthy/RolledBack" }, ["1", "bad", "1"]]);
  expect(w.status("apps/web")).toMatchObject({
    message: `not healthy within its deadline: crashes; the last healthy spec, of ${first.slice(0, 18)}, takes its place`,
    attempted: second,
    applied: first,
  });
  expect(w.events.of("job.applied").map(({ cause }) => cause)).toEqual(["revision", "revision", "rollback"]);
  expect(w.events.of("deployment.finished").map(({ status }) => status.reason)).toEqual([
    "Applied",
    "RolledBack",
  ]);
});

it("what was put back stays, through rounds and restarts, and the spec that failed is not sent again", async () => {
  const { engine } = await running();
  w.mirror.push(web("bad"));
  await w.until(
    () => w.status("apps/web")?.reason === "RolledBack" && w.status("apps/web")?.health === "Healthy",
  );
  await w.round();
  await engine.stop();
  w.start();
  await w.round();
  await w.round();
  expect([images(), w.states()]).toEqual([["1", "bad", "1"], { "apps/web": "OutOfSync/Healthy/RolledBack" }]);
});

it("a new spec in Git, or a person, ends it", async () => {
  await running();
  w.mirror.push(web("bad"));
  await w.until(
    () => w.status("apps/web")?.reason === "RolledBack" && w.status("apps/web")?.health === "Healthy",
  );
  await w.clock.advance(1_000);
  w.kv.set(
    w.layout.control("sync"),
    JSON.stringify({ at: new Date(w.clock.now()).toISOString(), retry: true }),
  );
  await w.until(() => images().length === 5);
  expect(images()).toEqual(["1", "bad", "1", "bad", "1"]);
  w.mirror.push(web("2"));
  await w.until(() => w.deployment()?.state === "healthy");
  expect([image(), w.status("apps/web")?.failed, w.states()]).toEqual([
    "2",
    undefined,
    { "apps/web": "Synced/Healthy/Applied" },
  ]);
});

it("drift of what was put back is put right as well, to that spec", async () => {
  await running();
  w.mirror.push(web("bad"));
  await w.until(
    () => w.status("apps/web")?.reason === "RolledBack" && w.status("apps/web")?.health === "Healthy",
  );
  w.apps.put("web", { id: "web", image: "by hand" }, MARK);
  await w.until(() => image() === "1", "the repair", 120_000);
  await w.idle();
  expect([images(), w.states()]).toEqual([
    ["1", "bad", "1", "1"],
    { "apps/web": "OutOfSync/Healthy/RolledBack" },
  ]);
});

it("an engine that dies between failure and going back is replaced by one that goes back", async () => {
  const { engine } = await running();
  w.apps.fault = (call) => (call === "apply" && images().length === 2 ? "SCHEDULER_UNREACHABLE" : undefined);
  w.mirror.push(web("bad"));
  await w.until(() => w.status("apps/web")?.failed !== undefined);
  await engine.stop();
  w.apps.fault = undefined;
  w.start();
  await w.until(() => image() === "1");
  await w.idle();
  expect([images(), w.states()]).toEqual([["1", "bad", "1"], { "apps/web": "OutOfSync/Healthy/RolledBack" }]);
});

it.each<[string, object]>([
  ["a job that does not ask for it", {}],
  ["a job that says hold", { sluice: { onFailure: "hold" } }],
])("%s is held where it failed", async (_, options) => {
  await running(options);
  w.mirror.push(web("bad", options));
  await w.until(() => w.deployment()?.state === "degraded");
  await w.round();
  expect([images(), w.states()]).toEqual([["1", "bad"], { "apps/web": "Synced/Degraded/HealthTimeout" }]);
});

it("a job that never was healthy has nothing to go back to", async () => {
  w = world({ apps: { waitMs: 5_000 } });
  w.apps.afterApply = () => DEGRADED;
  w.mirror.push(web("bad"));
  w.start();
  await w.until(() => w.deployment()?.state === "degraded");
  await w.round();
  expect([images(), w.states()]).toEqual([["bad"], { "apps/web": "Synced/Degraded/HealthTimeout" }]);
});

it("a spec that the scheduler refuses changes nothing, so nothing is put back", async () => {
  await running();
  w.apps.fault = (call) => (call === "apply" ? "SCHEDULER_INVALID" : undefined);
  w.mirror.push(web("bad"));
  await w.until(() => w.deployment()?.state === "degraded");
  await w.round();
  expect([images(), image(), w.status("apps/web")?.health]).toEqual([["1"], "1", "Healthy"]);
});

it("where the earlier spec does not do either, that is said, and neither is sent again", async () => {
  await running();
  w.apps.afterApply = () => DEGRADED;
  w.mirror.push(web("bad"));
  await w.until(() => images().length === 3 && w.deployment()?.state === "degraded", "the end", 120_000);
  await w.round();
  await w.round();
  expect([images(), w.states()["apps/web"]?.split("/").slice(0, 2)]).toEqual([
    ["1", "bad", "1"],
    ["OutOfSync", "Degraded"],
  ]);
});

it("where the scheduler does not take the earlier spec any more, it is not offered again", async () => {
  await running();
  let refused = 0;
  w.apps.fault = (call) => {
    if (call !== "apply" || images().length < 2) return undefined;
    refused += 1;
    return "SCHEDULER_INVALID";
  };
  w.mirror.push(web("bad"));
  await w.until(() => refused > 0);
  await w.round();
  await w.round();
  expect([refused, images()]).toEqual([1, ["1", "bad"]]);
});

it("what failed while it was put back turned well after all: it is left where it is", async () => {
  await running();
  w.apps.fault = (call) => (call === "apply" && images().length === 2 ? "SCHEDULER_LOCKED" : undefined);
  w.mirror.push(web("bad"));
  await w.until(() => w.status("apps/web")?.reason === "Locked");
  w.apps.observe("web", HEALTHY);
  await w.until(() => w.deployment()?.state === "healthy");
  expect([images(), w.states()]).toEqual([["1", "bad"], { "apps/web": "Synced/Healthy/Applied" }]);
});

it("what depends on a job that was put back is not sent", async () => {
  await running();
  w.mirror.push({ ...web("bad"), "apps/api.yaml": job("api", { sluice: { dependsOn: ["web"] } }) });
  await w.until(() => w.status("apps/api")?.reason === "DependencyNotReady");
  await w.round();
  expect(w.apps.writes.map(({ id }) => id)).toEqual(["web", "web", "web"]);
});

it("the spec of a revision that is superseded while it starts is not gone back to: the newer one is sent", async () => {
  await running();
  w.apps.afterApply = (_, spec) =>
    spec.image === "slow" ? { health: "Progressing", message: "starting" } : HEALTHY;
  w.mirror.push(web("slow"));
  await w.until(() => w.status("apps/web")?.reason === "Progressing");
  w.mirror.push(web("2"));
  await w.until(() => w.deployment()?.state === "healthy");
  expect(images()).toEqual(["1", "slow", "2"]);
});
