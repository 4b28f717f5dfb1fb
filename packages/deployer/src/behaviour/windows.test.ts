import { afterEach, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

// The clock of a world starts on Thursday, 2026-01-01, at midnight.
const AT_NIGHT = 'windows: [{ allow: "Mon-Fri 08:00-18:00" }]';

function web(image: string, policy: string) {
  return { "apps/web.yaml": job("web", { image }), "deploy.yaml": policy };
}

/** A job that runs at the image "1"; from then on the policy holds. */
async function running(policy: string) {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  return w.mirror.push(web("2", policy));
}

it("outside its window a change is planned and not made; the status says when it will be", async () => {
  const revision = await running(AT_NIGHT);
  await w.until(() => w.deployment()?.attempted === revision && w.deployment()?.state === "stalled");
  await w.round();
  expect([w.states(), w.apps.writes.length]).toEqual([{ "apps/web": "OutOfSync/Healthy/OutsideWindow" }, 1]);
  expect(w.status("apps/web")?.message).toBe("changes are made in Mon-Fri 08:00-18:00 (UTC) only");
  expect(w.deployment()).toMatchObject({ reason: "OutsideWindow", counts: { failed: 1 } });
});

it("once the window opens the change is made without anybody asking", async () => {
  const revision = await running(AT_NIGHT);
  await w.clock.advance(7.9 * 3_600_000);
  expect(w.apps.writes.length).toBe(1);
  await w.clock.advance(0.2 * 3_600_000);
  expect([w.apps.jobs.get("web" as never)?.spec.image, w.deployment()?.applied]).toEqual(["2", revision]);
});

it("drift is not put right outside the window either, nor is anything removed", async () => {
  w = world();
  const policy = { "deploy.yaml": "windows: [{ allow: 08:00-18:00 }]" };
  w.mirror.push({ "apps/web.yaml": job("web"), "apps/old.yaml": job("old") });
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.mirror.push({ "apps/web.yaml": job("web"), ...policy });
  w.apps.put("web", { id: "web", by: "hand" }, MARK);
  await w.round();
  await w.round();
  expect([w.states(), w.apps.writes.length]).toEqual([
    { "apps/web": "OutOfSync/Healthy/OutsideWindow", "apps/old": "OutOfSync/Healthy/OutsideWindow" },
    2,
  ]);
  await w.clock.advance(8.1 * 3_600_000);
  expect([...w.apps.jobs.values()].map(({ spec }) => spec)).toEqual([{ id: "web" }]);
});

it("a target's own windows count instead of the environment's", async () => {
  w = world();
  w.mirror.push({
    "apps/web.yaml": job("web"),
    "cron/report.yaml": job("report"),
    "deploy.yaml": `${AT_NIGHT}\ntargets: { cron: { windows: [{ deny: "Sat,Sun" }] } }`,
  });
  w.start();
  await w.until(() => w.status("cron/report")?.reason === "Applied");
  await w.round();
  expect(w.states()).toEqual({
    "apps/web": "OutOfSync/Missing/OutsideWindow",
    "cron/report": "Synced/Healthy/Applied",
  });
});

it.each([
  ["of this revision, for an hour", true, (revision: string) => ({ revision, override: true })],
  ["of another revision", false, () => ({ revision: "main@sha1:other", override: true })],
  ["of no revision", false, () => ({ override: true })],
  ["that does not say so", false, (revision: string) => ({ revision })],
])("a person's sync %s opens the window: %s", async (_, opens, wish) => {
  const revision = await running(AT_NIGHT);
  await w.until(() => w.status("apps/web")?.reason === "OutsideWindow");
  const at = new Date(w.clock.now()).toISOString();
  w.kv.set(w.layout.control("sync"), JSON.stringify({ at, ...wish(revision) }));
  await w.round();
  expect(w.apps.writes.length).toBe(opens ? 2 : 1);
  if (!opens) return;
  await w.clock.advance(3_600_000);
  w.apps.put("web", { id: "web", by: "hand" }, MARK);
  await w.round();
  expect([w.status("apps/web")?.reason, w.apps.writes.length]).toEqual(["OutsideWindow", 2]);
});

it("a job that failed is put back outside the window too", async () => {
  w = world({ apps: { waitMs: 600_000 } });
  const files = (image: string) => ({
    "apps/web.yaml": job("web", { image, sluice: { onFailure: "rollback" } }),
    "deploy.yaml": "windows: [{ allow: 00:00-00:05 }]",
  });
  w.mirror.push(files("1"));
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.apps.afterApply = (_, { image }) =>
    image === "1" ? { health: "Healthy", message: "running" } : { health: "Degraded", message: "crashes" };
  w.mirror.push(files("2"));
  await w.clock.advance(11 * 60_000);
  expect([w.apps.writes.map(({ spec }) => spec?.image), w.states()]).toEqual([
    ["1", "2", "1"],
    { "apps/web": "OutOfSync/Healthy/RolledBack" },
  ]);
});
