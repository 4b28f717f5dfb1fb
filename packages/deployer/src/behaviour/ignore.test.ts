import { afterEach, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

it("leaves fields alone that a job leaves to others", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web", { instances: 1, sluice: { ignore: ["instances"] } }) });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.apps.put("web", { id: "web", instances: 9 }, MARK);
  await w.round();
  expect([w.apps.writes.length, w.apps.jobs.get("web" as never)?.spec.instances]).toEqual([1, 9]);
});
