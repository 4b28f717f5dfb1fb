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

async function minutes(count: number) {
  for (let step = 0; step < count * 12; step++) {
    await w.clock.advance(5_000);
    await w.idle();
  }
}

it("whoever keeps changing a job is not fought in every round: twice at once, then after ever longer pauses", async () => {
  await running();
  let hands = 0;
  const { apply } = w.apps;
  w.apps.apply = async (request, signal) => {
    const answer = await apply(request, signal);
    if (request.id === "web")
      setImmediate(() => w.apps.put("web", { id: "web", by: `hand ${++hands}` }, MARK));
    return answer;
  };
  w.apps.put("web", { id: "web", by: "hand" }, MARK);
  await minutes(10);
  const inTen = hands;
  await minutes(60);
  // After 0, 0, 10, 30, 70, 150 and 310 seconds; then after 630, 1270 and 2550.
  expect([inTen, hands]).toEqual([7, 10]);
  expect(w.states()).toEqual({
    "apps/web": "OutOfSync/Healthy/Drifted",
    "apps/api": "Synced/Healthy/Applied",
  });
  expect(w.status("apps/web")?.message).toMatch(
    /^changed in the scheduler again after it was put right 10 times in a row; the next time is not before 2026-/,
  );
});

it("an engine that takes over does not begin the fight anew", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web") });
  const first = w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  for (let hand = 0; hand < 3; hand++) {
    w.apps.put("web", { id: "web", by: `hand ${hand}` }, MARK);
    await w.clock.advance(200);
  }
  const said = w.status("apps/web")?.message;
  expect(said).toMatch(/^changed in the scheduler again after it was put right 2 times in a row/);
  await first.stop();
  w.start();
  await w.clock.advance(5_000);
  await w.idle();
  expect([w.apps.jobs.get("web" as never)?.spec, w.status("apps/web")?.message]).toEqual([
    { id: "web", by: "hand 2" },
    said,
  ]);
  await w.until(() => w.status("apps/web")?.reason === "Applied");
});

it("a change in Git is sent at once, however often the job was put right before", async () => {
  await running();
  for (let hand = 0; hand < 3; hand++) {
    w.apps.put("web", { id: "web", by: `hand ${hand}` }, MARK);
    await w.clock.advance(200);
  }
  expect(w.status("apps/web")?.reason).toBe("Drifted");
  w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }), "apps/api.yaml": job("api") });
  await w.clock.advance(200);
  expect([w.apps.jobs.get("web" as never)?.spec, w.status("apps/web")?.reason]).toEqual([
    { id: "web", image: "2" },
    "Applied",
  ]);
});
