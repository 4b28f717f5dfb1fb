import { afterEach, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

it("a write whose answer was long in coming is not sent again by an engine that no longer leads", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web") });
  let asked = 0;
  w.apps.fault = (call) => {
    if (call !== "apply") return undefined;
    asked += 1;
    // Longer than a proof of leading is good for; when the answer comes, another engine leads.
    void w.clock.advance(5_000);
    w.kv.fault = (other) => (other === "commit" ? "LOCK_LOST" : undefined);
    return "SCHEDULER_UNREACHABLE";
  };
  w.start();
  await w.until(() => w.events.of("leader.lost").length > 0);
  expect(asked).toBe(1);
});

it.each(["apply", "remove"] as const)(
  "an engine that was paused while a driver read for its %s does not send it when it wakes and no longer leads",
  async (call) => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web"), "apps/old.yaml": job("old") });
    const one = w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    await one.stop();
    const before = w.apps.writes.length;
    const { apply, remove } = w.apps;
    const paused = async () => {
      w.kv.fault = (other) => (other === "commit" ? "LOCK_LOST" : undefined);
      await w.clock.advance(5_000);
    };
    if (call === "apply") w.apps.apply = (request, signal) => paused().then(() => apply(request, signal));
    else w.apps.remove = (request, signal) => paused().then(() => remove(request, signal));
    w.mirror.push({ "apps/web.yaml": job("web", { image: call === "apply" ? "2" : undefined }) });
    w.start();
    await w.until(() => w.events.of("leader.lost").length > 0);
    expect(w.apps.writes.slice(before)).toEqual([]);
  },
);
