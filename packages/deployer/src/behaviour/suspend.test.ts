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

it("leaves alone what a person suspended, until it is resumed", async () => {
  await running();
  w.kv.set(w.layout.control("suspend"), JSON.stringify({ jobs: ["apps/web"] }));
  w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }), "apps/api.yaml": job("api", { image: "2" }) });
  await w.until(() => w.status("apps/web")?.reason === "Suspended");
  await w.until(() => w.status("apps/api")?.attempted === w.deployment()?.attempted);
  expect(w.apps.jobs.get("web" as never)?.spec.image).toBe("1");
  expect(w.apps.jobs.get("api" as never)?.spec.image).toBe("2");
  w.kv.unset(w.layout.control("suspend"));
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.apps.jobs.get("web" as never)?.spec.image).toBe("2");
});

it("does nothing while it cannot tell what is suspended", async () => {
  await running();
  w.kv.set(w.layout.control("suspend"), "{");
  w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
  await w.idle();
  await w.round();
  expect(w.apps.writes.length).toBe(2);
  expect(w.events.of("deployment.failed").map(({ code }) => code)).toEqual(["KV_RECORD_INVALID"]);
});

it.each([
  ["a target", { targets: ["apps"] }, ["report"]],
  ["the environment", { environment: true }, []],
])(
  "%s that is suspended is left alone whole: nothing is sent, put right or removed",
  async (_, suspension, sent) => {
    w = world();
    const files = {
      "apps/web.yaml": job("web"),
      "apps/api.yaml": job("api"),
      "cron/report.yaml": job("report"),
    };
    w.mirror.push(files);
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    w.kv.set(w.layout.control("suspend"), JSON.stringify(suspension));
    await w.idle();
    const before = [w.apps.writes.length, w.cron.writes.length];
    w.apps.put("web", { id: "web", by: "hand" }, MARK);
    w.mirror.push({
      "apps/web.yaml": job("web", { image: "2" }),
      "cron/report.yaml": job("report", { image: "2" }),
    });
    await w.round();
    expect([w.apps.writes.length, w.cron.writes.slice(before[1]).map(({ id }) => id)]).toEqual([
      before[0],
      sent,
    ]);
    expect([w.status("apps/web")?.reason, w.status("apps/api")?.reason]).toEqual(["Suspended", "Suspended"]);
    w.kv.unset(w.layout.control("suspend"));
    await w.until(() => w.deployment()?.state === "healthy" && w.apps.jobs.size === 1);
    expect(w.apps.jobs.get("web" as never)?.spec).toEqual({ id: "web", image: "2" });
  },
);

it("deploy.yaml suspends a target, and resumes it", async () => {
  await running();
  const files = { "apps/web.yaml": job("web", { image: "2" }), "apps/api.yaml": job("api") };
  w.mirror.push({ ...files, "deploy.yaml": "targets: { apps: { suspend: true } }" });
  await w.until(() => w.status("apps/web")?.reason === "Suspended");
  await w.round();
  expect(w.apps.writes.length).toBe(2);
  w.mirror.push(files);
  await w.until(() => w.deployment()?.state === "healthy");
  expect(w.apps.jobs.get("web" as never)?.spec.image).toBe("2");
});
