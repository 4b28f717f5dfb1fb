import { afterEach, expect, it } from "vitest";
import { toyFormat } from "../testing/toy-format.ts";
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

it("a job whose id cannot be kept in the KV stalls alone", async () => {
  w = world();
  w.mirror.push({ "apps/odd.yaml": job("a/../b"), "apps/web.yaml": job("web") });
  w.start();
  await w.until(() => w.deployment()?.state === "stalled");
  expect(w.states()).toEqual({ "apps/web": "Synced/Healthy/Applied" });
  expect(w.deployment()?.message).toBe(
    'apps/odd.yaml:1: "a/../b" cannot be kept under its name: an empty, "." or ".." part is not allowed in an id',
  );
});

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

it.each([
  ["symlink", "a symlink"],
  ["lfs", "a pointer of Git LFS"],
] as const)("a job file that turns into a %s stalls its job and removes nothing", async (kind, what) => {
  await running(jobs(3));
  const { "apps/0.yaml": _, ...rest } = jobs(3);
  w.mirror.push({ ...rest, "apps/1.yaml": job("1", { image: "2" }) }, [
    { path: "apps/0.yaml" as never, kind },
  ]);
  await w.until(() => w.status("apps/0")?.reason === "InvalidSpec");
  await w.round();
  expect([ids(), w.apps.jobs.get("1" as never)?.spec.image]).toEqual([["0", "1", "2"], "2"]);
  expect(w.status("apps/0")?.message).toBe(
    `apps/0.yaml: is ${what} in this revision, which is not read; what it may hold is left alone`,
  );
  expect(w.deployment()).toMatchObject({ state: "stalled", problems: [{ file: "apps/0.yaml" }] });
  w.mirror.push(jobs(3));
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.deployment()?.problems).toBeUndefined();
});

it.each(["apps/shop", "apps"])(
  "a folder of job files that turns into a submodule removes none of them (%s)",
  async (path) => {
    const shop = { "apps/shop/a.yaml": job("a"), "apps/shop/b.yaml": job("b") };
    await running({ ...shop, "apps/c.yaml": job("c"), "cron/report.yaml": job("report") });
    const rest = path === "apps" ? {} : { "apps/c.yaml": job("c") };
    w.mirror.push({ ...rest, "cron/report.yaml": job("report") }, [
      { path: path as never, kind: "submodule" },
    ]);
    await w.until(() => w.status("apps/a")?.reason === "InvalidSpec");
    await w.round();
    expect([ids(), w.states()["apps/b"]]).toEqual([["a", "b", "c"], "OutOfSync/Healthy/InvalidSpec"]);
  },
);

it("an engine that starts anew takes no link for a deletion either, nor where only the marker says it now", async () => {
  w = world();
  w.mirror.push(jobs(3));
  const first = w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  await first.stop();
  const { "apps/0.yaml": _, ...rest } = jobs(3);
  w.mirror.push(rest, [{ path: "apps/0.yaml" as never, kind: "symlink" }]);
  w.start();
  await w.until(() => w.status("apps/0")?.reason === "InvalidSpec");
  await w.round();
  expect(ids()).toEqual(["0", "1", "2"]);
});

it("a link that never was a job file's concern harms nobody", async () => {
  await running(jobs(3));
  w.mirror.push(jobs(2), [{ path: "media/logo.png" as never, kind: "lfs" }]);
  await w.until(() => ids().length === 2);
  await w.until(() => w.deployment()?.state === "healthy");
});

it.each<[string, Parameters<World["mirror"]["push"]>[1]]>([
  ["turns into a link", [{ path: "deploy.yaml" as never, kind: "symlink" }]],
  ["may be among too many links", "too many"],
])("a deploy.yaml that %s is no missing deploy.yaml", async (_, skipped) => {
  const files = { "jobs/a.yaml": job("a"), "jobs/b.yaml": job("b"), "cron/report.yaml": job("report") };
  await running({ ...files, "deploy.yaml": "targets: { apps: { folder: jobs } }" });
  w.mirror.push({ ...files, "jobs/a.yaml": job("a", { image: "2" }) }, skipped);
  await w.until(() => w.deployment()?.state === "stalled");
  await w.round();
  expect([ids(), w.apps.jobs.get("a" as never)?.spec.image]).toEqual([["a", "b"], "2"]);
  expect(w.deployment()?.problems?.map(({ file }) => file)).toEqual(["deploy.yaml"]);
});

it("where more links are there than can be listed nothing is removed", async () => {
  await running(jobs(3));
  w.mirror.push(jobs(2), "too many");
  await w.until(() => w.status("apps/2")?.reason === "PruneRefused");
  await w.round();
  expect(ids()).toEqual(["0", "1", "2"]);
});

it("problems of files that hold no job that could be read are in the deployment's record, the first of them", async () => {
  await running(jobs(1));
  const broken = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`apps/broken-${at}.yaml`, "id: ["]),
  );
  w.mirror.push({ ...jobs(1), "apps/odd.yaml": "- no\n- job" });
  await w.until(() => w.deployment()?.state === "stalled");
  expect(w.deployment()?.problems).toEqual([
    { file: "apps/odd.yaml", line: 1, column: 1, reason: "InvalidSpec", message: "a job needs an id" },
  ]);
  w.mirror.push({ ...jobs(1), ...broken });
  await w.until(() => w.deployment()?.problemsTotal === 60);
  expect(w.deployment()?.problems?.length).toBe(50);
});

it("a job that cannot be compared with what its scheduler shows is left alone, and the others go on", async () => {
  const compare: typeof toyFormat.compare = (desired, live, ignore) => {
    if (live.poison) throw new Error("a number was expected at ports[0]");
    return toyFormat.compare(desired, live, ignore);
  };
  await running(jobs(2), { apps: { format: { ...toyFormat, compare } } });
  w.apps.put("0", { id: "0", poison: true }, MARK);
  w.mirror.push({ "apps/0.yaml": job("0", { image: "2" }), "apps/1.yaml": job("1", { image: "2" }) });
  await w.until(() => w.status("apps/0")?.reason === "InvalidSpec");
  await w.round();
  expect([w.apps.jobs.get("0" as never)?.spec, w.apps.jobs.get("1" as never)?.spec.image]).toEqual([
    { id: "0", poison: true },
    "2",
  ]);
  expect(w.status("apps/0")?.message).toBe(
    "it cannot be compared with what the scheduler shows: a number was expected at ports[0]",
  );
});

it("one job that the scheduler refuses, or that never turns healthy, keeps no other from being deployed", async () => {
  w = world({ apps: { waitMs: 5_000, concurrency: 1 } });
  w.apps.fault = (call, id) => (call === "apply" && id === "0" ? "SCHEDULER_INVALID" : undefined);
  w.apps.afterApply = (id) =>
    id === "1" ? { health: "Degraded", message: "crashes" } : { health: "Healthy", message: "running" };
  w.mirror.push(jobs(5));
  w.start();
  await w.until(() => w.deployment()?.state === "degraded");
  expect(Object.values(w.states())).toEqual([
    "OutOfSync/Missing/Refused",
    "Synced/Degraded/HealthTimeout",
    ...Array(3).fill("Synced/Healthy/Applied"),
  ]);
});
