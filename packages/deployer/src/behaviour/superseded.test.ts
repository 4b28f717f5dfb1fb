import { afterEach, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const HEALTHY = { health: "Healthy", message: "running" } as const;
const PROGRESSING = { health: "Progressing", message: "starting" } as const;

it("a newer revision takes over at once from one that is waited for", async () => {
  w = world();
  w.apps.afterApply = (_, spec) => (spec.image === "1" ? PROGRESSING : HEALTHY);
  const first = w.mirror.push({
    "apps/web.yaml": job("web", { image: "1" }),
    "apps/api.yaml": job("api", { sluice: { dependsOn: ["web"] } }),
  });
  w.start();
  await w.until(() => w.status("apps/web")?.reason === "Progressing");
  const second = w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
  await w.idle();
  expect(w.deployment()).toMatchObject({ state: "healthy", applied: second });
  expect(w.apps.writes.map(({ spec }) => spec?.image)).toEqual(["1", "2"]);
  expect(w.events.of("deployment.superseded").map(({ revision, by }) => [revision, by])).toEqual([
    [first, second],
  ]);
  expect(w.states()).toEqual({ "apps/web": "Synced/Healthy/Applied" });
});

it("what the newer revision no longer names is not sent any more, and what it changes is sent as it says", async () => {
  w = world({ apps: { concurrency: 1 } });
  w.apps.afterApply = (id) => (id === "a" ? PROGRESSING : HEALTHY);
  const chain = (image: string) => ({
    "apps/a.yaml": job("a", { image }),
    "apps/b.yaml": job("b", { image, sluice: { dependsOn: ["a"] } }),
  });
  w.mirror.push({ ...chain("1"), "apps/c.yaml": job("c", { sluice: { dependsOn: ["a"] } }) });
  w.start();
  await w.until(() => w.status("apps/a")?.reason === "Progressing");
  w.apps.afterApply = () => HEALTHY;
  w.mirror.push(chain("2"));
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.apps.writes.map(({ id, spec }) => `${id} ${spec?.image}`)).toEqual(["a 1", "a 2", "b 2"]);
});

it("a deadline that was running for the older revision does not count for the newer one", async () => {
  w = world({ apps: { waitMs: 30_000 } });
  w.apps.afterApply = () => PROGRESSING;
  w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
  w.start();
  await w.until(() => w.status("apps/web")?.reason === "Progressing");
  await w.clock.advance(20_000);
  w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
  await w.clock.advance(20_000);
  expect(w.status("apps/web")?.reason).toBe("Progressing");
  await w.clock.advance(15_000);
  expect(w.status("apps/web")?.reason).toBe("HealthTimeout");
});
