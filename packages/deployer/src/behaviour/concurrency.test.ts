import { afterEach, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

it.each([
  [1, 8],
  [3, 2],
])("at most as many writes are under way in a target as it allows: %i and %i", async (apps, cron) => {
  w = world({ apps: { concurrency: apps }, cron: { concurrency: cron } });
  const most = { apps: 0, cron: 0 };
  for (const target of ["apps", "cron"] as const) {
    let open = 0;
    const { apply, remove } = w[target];
    const counted = async <T>(call: () => Promise<T>): Promise<T> => {
      open += 1;
      most[target] = Math.max(most[target], open);
      await w.clock.sleep(100);
      return call().finally(() => {
        open -= 1;
      });
    };
    w[target].apply = (request, signal) => counted(() => apply(request, signal));
    w[target].remove = (request, signal) => counted(() => remove(request, signal));
  }
  const files = (count: number) =>
    Object.fromEntries(
      ["apps", "cron"].flatMap((target) =>
        Array.from({ length: count }, (_, at) => [`${target}/${at}.yaml`, job(`${at}`)]),
      ),
    );
  w.mirror.push(files(20));
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  expect(most).toEqual({ apps, cron });
  most.apps = 0;
  most.cron = 0;
  w.mirror.push(files(15));
  await w.until(() => w.apps.jobs.size + w.cron.jobs.size === 30);
  expect(most).toEqual({ apps: Math.min(apps, 5), cron: Math.min(cron, 5) });
});
