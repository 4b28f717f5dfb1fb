import { afterEach, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

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

it("a file that cannot be read stalls its own jobs and removes nothing", async () => {
  await running(jobs(3));
  w.mirror.push({ "apps/0.yaml": "id: [", "apps/1.yaml": job("1", { image: "2" }) });
  await w.until(
    () =>
      w.status("apps/1")?.attempted === w.deployment()?.attempted && w.status("apps/1")?.reason === "Applied",
  );
  await w.round();
  expect(ids()).toEqual(["0", "1", "2"]);
  expect(w.states()).toEqual({
    "apps/0": "OutOfSync/Healthy/InvalidSpec",
    "apps/1": "Synced/Healthy/Applied",
    "apps/2": "OutOfSync/Healthy/PruneRefused",
  });
  expect(w.deployment()?.state).toBe("stalled");
  w.mirror.push(jobs(2));
  await w.until(() => ids().length === 2);
});

it.each([
  ["holds no file at all", {}],
  ["holds no job", { "README.md": "moved" }],
])("nothing is removed for a revision that %s", async (_, files) => {
  await running(jobs(3));
  w.mirror.push(files);
  await w.until(() => w.status("apps/0")?.reason === "PruneRefused");
  await w.round();
  expect(ids()).toEqual(["0", "1", "2"]);
});

it("more removals than the limit wait until a person agrees to them", async () => {
  await running(jobs(10));
  const revision = w.mirror.push(jobs(4));
  await w.until(() => w.status("apps/9")?.reason === "PrunePending");
  await w.round();
  expect(ids().length).toBe(10);
  w.kv.set(
    w.layout.control("sync"),
    JSON.stringify({ at: "2026-01-01T00:00:00Z", prune: ["apps"], revision: "main@sha1:other" }),
  );
  await w.round();
  expect(ids().length).toBe(10);
  w.kv.set(
    w.layout.control("sync"),
    JSON.stringify({ at: "2026-01-01T00:00:01Z", prune: ["apps"], revision }),
  );
  await w.until(() => ids().length === 4);
  await w.idle();
  expect(Object.keys(w.states())).toEqual(["apps/0", "apps/1", "apps/2", "apps/3"]);
});

it("deploy.yaml sets the limit of a target, or keeps everything", async () => {
  await running(jobs(10, { "deploy.yaml": "targets: { apps: { prune: { maxJobs: 8 } } }" }));
  w.mirror.push(jobs(4, { "deploy.yaml": "targets: { apps: { prune: { maxJobs: 8 } } }" }));
  await w.until(() => ids().length === 4);
  w.mirror.push(jobs(3, { "deploy.yaml": "targets: { apps: { prune: never } }" }));
  await w.until(() => w.status("apps/3")?.reason === "PruneRefused");
  expect(ids().length).toBe(4);
});

it("what is replaced stays until what replaces it is healthy, in this revision and in later ones", async () => {
  await running({ "apps/old.yaml": job("old") }, { apps: { waitMs: 5_000 } });
  w.apps.afterApply = () => ({ health: "Degraded", message: "crashes" });
  w.mirror.push({ "apps/new.yaml": job("new") });
  await w.until(() => w.status("apps/new")?.reason === "HealthTimeout");
  await w.round();
  w.mirror.push({ "apps/new.yaml": job("new"), "README.md": "hello" });
  await w.idle();
  await w.round();
  expect(ids()).toEqual(["new", "old"]);
  w.apps.observe("new", { health: "Healthy", message: "running" });
  await w.until(() => ids().length === 1, "the removal", 120_000);
  expect(ids()).toEqual(["new"]);
});

it("a job that lost our mark, or was never in the inventory, is not removed", async () => {
  await running(jobs(2));
  w.apps.put("1", { id: "1" }, "somebody else");
  w.apps.put("stranger", { id: "stranger" }, MARK);
  w.mirror.push(jobs(1));
  await w.until(() => w.inventory().length === 1);
  await w.round();
  expect(ids()).toEqual(["0", "1", "stranger"]);
});

it("a job whose file says prune: never stays, and says why", async () => {
  await running(jobs(1, { "apps/db.yaml": job("db", { sluice: { prune: "never" } }) }));
  w.mirror.push(jobs(1));
  await w.until(() => w.status("apps/db")?.reason === "PruneRefused");
  await w.round();
  expect(ids()).toEqual(["0", "db"]);
});

it("a job that another one hangs on is removed after it", async () => {
  await running(jobs(4));
  w.apps.fault = (call, id) =>
    call === "remove" && Number(id) < 3 && w.apps.jobs.has(`${Number(id) + 1}` as never)
      ? "SCHEDULER_CONFLICT"
      : undefined;
  w.mirror.push({ "apps/other.yaml": job("other") });
  await w.until(() => w.deployment()?.state === "healthy" && ids().length === 1);
  expect(w.apps.writes.filter(({ kind }) => kind === "remove").map(({ id }) => id)).toEqual([
    "3",
    "2",
    "1",
    "0",
  ]);
});

it("a folder that deploy.yaml moves to another name keeps its jobs", async () => {
  await running(jobs(3));
  const moved = Object.fromEntries(
    Object.entries(jobs(3)).map(([path, text]) => [path.replace("apps/", "marathon/"), text]),
  );
  w.mirror.push({ ...moved, "deploy.yaml": "targets: { apps: { folder: marathon } }" });
  await w.until(() => w.status("apps/0")?.file === "marathon/0.yaml");
  expect([ids(), w.apps.writes.length]).toEqual([["0", "1", "2"], 3]);
});

it("a deploy.yaml with a problem changes no policy and removes nothing; jobs go on under the last good one", async () => {
  await running({ ...jobs(3), "deploy.yaml": "targets: { apps: { folder: apps } }" });
  w.mirror.push({
    ...jobs(2),
    "apps/0.yaml": job("0", { image: "2" }),
    "deploy.yaml": "targets: { apps: { foldr: x } }",
  });
  await w.until(() => w.deployment()?.state === "stalled");
  expect(w.deployment()?.message).toBe('deploy.yaml:1: unknown key "foldr" (did you mean "folder"?)');
  await w.round();
  expect([ids(), w.apps.jobs.get("0" as never)?.spec.image]).toEqual([["0", "1", "2"], "2"]);
});

it("with a bad deploy.yaml and no earlier one known, everything waits", async () => {
  w = world();
  w.mirror.push({ ...jobs(2), "deploy.yaml": "- no\n- policy" });
  w.start();
  await w.until(() => w.deployment()?.state === "stalled");
  await w.round();
  expect([w.deployment()?.reason, w.apps.writes]).toEqual(["InvalidSpec", []]);
  w.mirror.push(jobs(2));
  await w.until(() => w.deployment()?.state === "healthy");
});
