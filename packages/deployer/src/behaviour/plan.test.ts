import { afterEach, describe, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const APPLIED = "Synced/Healthy/Applied";

describe("a revision", () => {
  it("creates, updates and prunes what it says, and nothing else", async () => {
    w = world();
    w.apps.put("foreign", { id: "foreign" });
    w.mirror.push({ "apps/web.yaml": job("web"), "apps/api.yaml": job("api"), "README.md": "hello" });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.states()).toEqual({ "apps/web": APPLIED, "apps/api": APPLIED });

    w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
    await w.until(() => w.apps.jobs.size === 2, "the prune");
    await w.until(() => w.deployment()?.state === "healthy");
    expect([...w.apps.jobs.values()].map(({ id, spec, owner }) => [id, spec, owner])).toEqual([
      ["foreign", { id: "foreign" }, undefined],
      ["web", { id: "web", image: "2" }, MARK],
    ]);
    expect(w.states()).toEqual({ "apps/web": APPLIED });
    expect(w.inventory().map(({ key }) => key)).toEqual(["apps/web"]);
    expect(w.events.of("job.pruned").map(({ key }) => key)).toEqual(["apps/api"]);
  });

  it("is not sent again while nothing changes, and rounds over it write nothing", async () => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web"), "cron/report.yaml": job("report") });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    await w.round();
    const [writes, commits, events] = [w.apps.writes.length, w.kv.commits.length, w.events.events.length];
    await w.round();
    await w.round();
    expect([w.apps.writes.length, w.kv.commits.length, w.events.events.length]).toEqual([
      writes,
      commits,
      events,
    ]);
  });

  it("is told of by events, each once", async () => {
    w = world();
    const first = w.mirror.push({ "apps/web.yaml": job("web", { token: "secret" }) });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    const second = w.mirror.push({ "apps/web.yaml": job("web", { token: "other" }) });
    await w.until(() => w.deployment()?.applied === second);
    await w.round();
    const told = w.events.events.map((event) =>
      event.type === "job.changed" ? `${event.type} ${event.status.reason}` : event.type,
    );
    const each = [
      "deployment.started",
      "deployment.planned",
      "job.changed Pending",
      "job.applied",
      "job.changed Progressing",
      "job.changed Applied",
      "deployment.finished",
    ];
    expect(told).toEqual(["leader.elected", ...each, ...each]);
    expect(
      w.events.of("deployment.planned").map(({ revision, changes, total }) => ({ revision, changes, total })),
    ).toEqual([
      {
        revision: first,
        changes: [{ kind: "create", key: "apps/web", fields: [], cause: "revision" }],
        total: 1,
      },
      {
        revision: second,
        changes: [
          {
            kind: "update",
            key: "apps/web",
            fields: [{ path: "token", from: "•••", to: "•••" }],
            cause: "revision",
          },
        ],
        total: 1,
      },
    ]);
  });
});
