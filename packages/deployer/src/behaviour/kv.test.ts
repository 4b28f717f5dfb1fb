import { afterEach, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const PROGRESSING = { health: "Progressing", message: "starting" } as const;

it("a revision that is still being written is not acted on", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web") });
  w.mirror.beginApplying();
  w.start();
  await w.round();
  expect(w.apps.writes).toEqual([]);
  w.mirror.push({ "apps/api.yaml": job("api") });
  await w.until(() => w.deployment()?.state === "healthy");
  expect([...w.apps.jobs.keys()]).toEqual(["api"]);
});

it.each([true, false])(
  "a mix of two revisions is never acted on (records of changes there: %s)",
  async (records) => {
    w = world();
    w.mirror.forgetChanges = !records;
    w.mirror.push({ "apps/web.yaml": job("web") });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    const revision = w.mirror.push({
      "apps/web.yaml": job("web"),
      "apps/api.yaml": job("api", { image: "1" }),
    });
    w.kv.set(w.layout.file("apps/api.yaml" as never), job("api", { image: "by hand" }));
    await w.idle();
    await w.clock.advance(30_000);
    expect(w.apps.writes.map(({ id }) => id)).toEqual(["web"]);
    w.kv.set(w.layout.file("apps/api.yaml" as never), job("api", { image: "1" }));
    await w.until(() => w.deployment()?.applied === revision);
    expect(w.apps.jobs.get("api" as never)?.spec.image).toBe("1");
  },
);

it("a marker that moves while files are read makes it read again", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
  const { get } = w.kv;
  let pushed = false;
  w.kv.get = (key, signal) => {
    if (key === w.layout.revision && !pushed) {
      pushed = true;
      w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
    }
    return get(key, signal);
  };
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.apps.writes.map(({ spec }) => spec?.image)).toEqual(["2"]);
});

it("an engine that was paused proves that it still leads before the next write", async () => {
  w = world({ apps: { concurrency: 1 } });
  const { apply } = w.apps;
  w.apps.apply = async (request, signal) => {
    const answer = await apply(request, signal && undefined);
    await w.clock.sleep(5_000);
    w.kv.fault = (call) => (call === "commit" ? "LOCK_LOST" : undefined);
    return answer;
  };
  w.mirror.push({ "apps/a.yaml": job("a"), "apps/b.yaml": job("b") });
  w.start();
  await w.until(() => w.apps.writes.length === 1);
  await w.until(() => w.events.of("leader.lost").length > 0);
  await w.clock.advance(60_000);
  expect(w.apps.writes.map(({ id }) => id)).toEqual(["a"]);
});

it("one changed file is all that is read and asked for", async () => {
  w = world();
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`apps/${at}.yaml`, job(`${at}`)]));
  w.mirror.push(files);
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  await w.idle();
  const asked: unknown[] = [];
  const { list } = w.apps;
  w.apps.list = (query, signal) => {
    asked.push(query);
    return list(query, signal);
  };
  const lists: string[] = [];
  w.kv.fault = (call) => {
    if (call === "list") lists.push(call);
    return undefined;
  };
  w.mirror.push({ ...files, "apps/7.yaml": job("7", { image: "2" }) });
  await w.until(() => w.deployment()?.state === "healthy");
  expect([lists, new Set(asked.map((one) => JSON.stringify(one)))]).toEqual([[], new Set(['{"ids":["7"]}'])]);
});

it("revisions that came in between are caught up with through their records", async () => {
  w = world();
  w.mirror.push({ "apps/a.yaml": job("a"), "apps/b.yaml": job("b") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  let lists = 0;
  w.kv.fault = (call) => {
    if (call === "list") lists += 1;
    return undefined;
  };
  w.mirror.push({
    "apps/a.yaml": job("a", { image: "2" }),
    "apps/b.yaml": job("b"),
    "apps/c.yaml": job("c"),
  });
  w.mirror.push({ "apps/a.yaml": job("a", { image: "2" }), "apps/b.yaml": job("b") });
  w.mirror.push({ "apps/a.yaml": job("a", { image: "3" }), "apps/b.yaml": job("b") });
  await w.until(() => w.deployment()?.state === "healthy" && w.apps.writes.length > 2);
  expect([w.apps.writes.slice(2).map(({ id, spec }) => [id, spec?.image]), lists]).toEqual([[["a", "3"]], 0]);
});

it("an engine that takes over goes on waiting where the first one stopped, with the same deadline", async () => {
  w = world({ apps: { waitMs: 30_000 } });
  w.apps.afterApply = () => PROGRESSING;
  w.mirror.push({ "apps/web.yaml": job("web") });
  const first = w.start();
  await w.until(() => w.status("apps/web")?.reason === "Progressing");
  await w.clock.advance(20_000);
  await first.stop();
  w.start();
  await w.clock.advance(5_000);
  expect(w.status("apps/web")?.reason).toBe("Progressing");
  await w.clock.advance(7_000);
  expect([w.status("apps/web")?.reason, w.apps.writes.length]).toEqual(["HealthTimeout", 1]);
});

it("only one of two engines works; the other takes over when the first one stops", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web") });
  const first = w.start();
  await w.idle();
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  expect([w.apps.writes.length, w.events.of("leader.elected").length]).toEqual([1, 1]);
  await first.stop();
  const second = w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
  await w.until(() => w.deployment()?.applied === second);
  expect([w.apps.writes.length, w.events.of("leader.elected").length]).toEqual([2, 2]);
});

it("an engine that lost its lock sends nothing more", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web") });
  w.kv.fault = (call) => (call === "commit" ? "LOCK_LOST" : undefined);
  w.start();
  await w.until(() => w.events.of("leader.lost").length > 2);
  expect([w.apps.writes, w.kv.commits]).toEqual([[], []]);
  w.kv.fault = undefined;
  await w.until(() => w.deployment()?.state === "healthy");
});

it("statuses and inventory are in the KV before a write is sent, in one transaction for a single job", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web") });
  const seen: unknown[] = [];
  w.apps.fault = (call) => {
    if (call === "apply")
      seen.push([w.states(), w.inventory().map(({ key, version }) => [key, version]), w.kv.commits.length]);
    return undefined;
  };
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  expect(seen).toEqual([[{ "apps/web": "OutOfSync/Missing/Pending" }, [["apps/web", undefined]], 1]]);
});

it("thousands of jobs are a few hundred transactions", async () => {
  w = world();
  w.mirror.push(
    Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`apps/${at}.yaml`, job(`${at}`)])),
  );
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.apps.jobs.size).toBe(2_000);
  expect(w.kv.commits.length).toBeLessThan(200);
});
