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

/** A person agrees to the removals of a revision. */
function agree(revision: string) {
  const at = new Date(w.clock.now()).toISOString();
  w.kv.set(w.layout.control("prune"), JSON.stringify({ at, prune: ["apps"], revision }));
}

it("nothing is removed for a revision without any file, whatever a person says", async () => {
  await running(jobs(3));
  agree(w.mirror.push({}));
  await w.until(() => w.status("apps/0")?.reason === "PruneRefused");
  await w.round();
  expect(ids()).toEqual(["0", "1", "2"]);
});

it("for a revision that holds files but no job, a person is asked, however few jobs would go", async () => {
  await running(jobs(2));
  const before = w.mirror.push({ "README.md": "moved" });
  await w.until(() => w.status("apps/0")?.reason === "PrunePending");
  await w.round();
  const revision = w.mirror.push({ "README.md": "really moved" });
  agree(before);
  await w.round();
  expect(ids()).toEqual(["0", "1"]);
  agree(revision);
  await w.until(() => ids().length === 0);
  await w.idle();
  expect([w.states(), w.inventory(), w.deployment()?.state]).toEqual([{}, [], "healthy"]);
});

it("a sync asked for after it does not take an agreement back that is not carried out yet", async () => {
  await running(jobs(3, { "apps/new.yaml": job("new") }), { apps: { waitMs: 5_000 } });
  w.apps.afterApply = () => ({ health: "Progressing", message: "starting" });
  const revision = w.mirror.push({ ...jobs(1), ...GRACE, "apps/new.yaml": job("new", { image: "2" }) });
  await w.until(() => w.status("apps/new")?.reason === "Progressing");
  agree(revision);
  await w.idle();
  const at = new Date(w.clock.now() + 1).toISOString();
  w.kv.set(w.layout.control("sync"), JSON.stringify({ at, retry: false, prune: [] }));
  await w.idle();
  expect(ids()).toEqual(["0", "1", "2", "new"]);
  w.apps.observe("new", { health: "Healthy", message: "running" });
  await w.until(() => ids().length === 2);
  expect(ids()).toEqual(["0", "new"]);
});

it.each(["prune", "sync"])(
  "more removals than the limit wait for a person's word under control/%s",
  async (name) => {
    await running(jobs(10));
    const revision = w.mirror.push(jobs(4));
    await w.until(() => w.status("apps/9")?.reason === "PrunePending");
    await w.round();
    expect(ids().length).toBe(10);
    w.kv.set(
      w.layout.control(name),
      JSON.stringify({ at: "2026-01-01T00:00:00Z", prune: ["apps"], revision: "main@sha1:other" }),
    );
    await w.round();
    expect(ids().length).toBe(10);
    w.kv.set(
      w.layout.control(name),
      JSON.stringify({ at: "2026-01-01T00:00:01Z", prune: ["apps"], revision }),
    );
    await w.until(() => ids().length === 4);
    await w.idle();
    expect(Object.keys(w.states())).toEqual(["apps/0", "apps/1", "apps/2", "apps/3"]);
  },
);

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

it("a job that comes back between plan and removal is not removed, even where the watch is late", async () => {
  w = world();
  w.kv.watch = async function* (_key, { signal }) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield undefined;
  };
  const both = { "apps/web.yaml": job("web"), "apps/api.yaml": job("api") };
  w.mirror.push(both);
  const { engine } = w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  const { list } = w.apps;
  w.apps.list = async (query, signal) => {
    w.apps.list = list;
    const answer = await list(query, signal);
    w.mirror.push(both);
    return answer;
  };
  w.mirror.push({ "apps/web.yaml": job("web") });
  engine.wake();
  await w.idle();
  await w.round();
  expect(w.apps.writes.map(({ kind, id }) => `${kind} ${id}`)).toEqual(["apply api", "apply web"]);
});

const GRACE = { "deploy.yaml": "prune: { grace: 5m }" };

it("with a grace, a job must be gone from Git for that long; the status says until when", async () => {
  await running(jobs(3, GRACE));
  w.mirror.push(jobs(2, GRACE));
  await w.until(() => w.status("apps/2")?.reason === "PrunePending");
  const gone = Date.parse(w.inventory().find(({ key }) => key === "apps/2")?.absentSince ?? "");
  const until = new Date(gone + 5 * 60_000).toISOString();
  expect(w.status("apps/2")?.message).toBe(
    `it is gone from Git, and is removed after ${until} unless it comes back`,
  );
  await w.clock.advance(gone + 5 * 60_000 - 1_000 - w.clock.now());
  expect(ids()).toEqual(["0", "1", "2"]);
  await w.clock.advance(3_000);
  expect([ids(), Object.keys(w.states())]).toEqual([
    ["0", "1"],
    ["apps/0", "apps/1"],
  ]);
});

it("a job that comes back within the grace was never touched, and the next grace is a whole one", async () => {
  await running(jobs(3, GRACE));
  const writes = w.apps.writes.length;
  w.mirror.push(jobs(2, GRACE));
  await w.clock.advance(4 * 60_000);
  w.mirror.push(jobs(3, GRACE));
  await w.until(() => w.status("apps/2")?.reason === "Applied");
  await w.clock.advance(2 * 60_000);
  w.mirror.push(jobs(2, GRACE));
  await w.clock.advance(4 * 60_000);
  expect([ids(), w.apps.writes.length]).toEqual([["0", "1", "2"], writes]);
  await w.clock.advance(2 * 60_000);
  expect(ids()).toEqual(["0", "1"]);
});

it("an engine that takes over goes on counting the grace", async () => {
  w = world();
  w.mirror.push(jobs(3, GRACE));
  const first = w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.mirror.push(jobs(2, GRACE));
  await w.idle();
  await w.clock.advance(4 * 60_000);
  await first.stop();
  w.start();
  await w.idle();
  await w.clock.advance(30_000);
  expect(ids()).toEqual(["0", "1", "2"]);
  await w.clock.advance(60_000);
  await w.idle();
  expect(ids()).toEqual(["0", "1"]);
});

it("a person who agrees to the removals of a revision need not wait for the grace", async () => {
  await running(jobs(3, GRACE));
  const revision = w.mirror.push(jobs(2, GRACE));
  await w.until(() => w.status("apps/2")?.reason === "PrunePending");
  const at = new Date(w.clock.now()).toISOString();
  w.kv.set(w.layout.control("sync"), JSON.stringify({ at, prune: ["apps"], revision }));
  await w.until(() => ids().length === 2);
});

it("jobs within their grace count towards the limit", async () => {
  const policy = { "deploy.yaml": "prune: { grace: 5m, maxJobs: 1, maxPercent: 0 }" };
  await running(jobs(4, policy));
  w.mirror.push(jobs(3, policy));
  await w.clock.advance(4 * 60_000);
  w.mirror.push(jobs(2, policy));
  await w.clock.advance(10 * 60_000);
  expect([ids(), w.status("apps/3")?.message]).toEqual([
    ["0", "1", "2", "3"],
    "2 of 4 jobs are gone from Git and at most 1 are removed unasked",
  ]);
});

it("a job that says prune: never while it is not well stays all the same", async () => {
  await running(jobs(2));
  w.apps.observe("1", { health: "Degraded", message: "crashes" });
  await w.until(() => w.status("apps/1")?.reason === "Unhealthy");
  w.mirror.push({ ...jobs(1), "apps/1.yaml": job("1", { sluice: { prune: "never" } }) });
  await w.idle();
  w.mirror.push(jobs(1));
  await w.until(() => w.status("apps/1")?.reason === "PruneRefused");
  await w.round();
  expect(ids()).toEqual(["0", "1"]);
});
