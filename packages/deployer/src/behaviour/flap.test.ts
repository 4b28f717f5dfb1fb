import type { Observation } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const HEALTHY = { health: "Healthy", message: "running" } as const;
const DEGRADED = { health: "Degraded", message: "crashes" } as const;

/** A second image is sent, and before it is healthy the scheduler has the first one again. */
async function putBack(one: World): Promise<void> {
  one.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
  one.start();
  await one.until(() => one.deployment()?.state === "healthy");
  one.apps.afterApply = () => ({ health: "Progressing", message: "starting" });
  one.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
  await one.until(() => one.status("apps/web")?.reason === "Progressing");
  one.apps.put("web", { id: "web", image: "1" }, "sluice-test");
}

describe("a spec that failed", () => {
  it.each<[string, Observation, string]>([
    ["never turned healthy", DEGRADED, "Synced/Degraded/HealthTimeout"],
    ["was given up by the scheduler", { ...DEGRADED, failed: true }, "Synced/Degraded/HealthTimeout"],
  ])("is held where it %s, until Git changes", async (_, observed, state) => {
    w = world({ apps: { waitMs: 5_000 } });
    w.apps.afterApply = (_id, spec) => (spec.image === "bad" ? observed : HEALTHY);
    w.mirror.push({ "apps/web.yaml": job("web", { image: "bad" }) });
    w.start();
    await w.until(() => w.deployment()?.state === "degraded");
    await w.round();
    await w.round();
    expect([w.states(), w.apps.writes.length]).toEqual([{ "apps/web": state }, 1]);
    w.mirror.push({ "apps/web.yaml": job("web", { image: "good" }) });
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.status("apps/web")?.failed).toBeUndefined();
  });

  it("is not fought over when the scheduler has put the old one back", async () => {
    w = world();
    await putBack(w);
    w.apps.observe("web", { ...HEALTHY, rolledBack: true });
    await w.until(() => w.status("apps/web")?.reason === "RolledBack");
    await w.round();
    await w.round();
    expect([w.apps.writes.length, w.apps.jobs.get("web" as never)?.spec.image]).toEqual([2, "1"]);
  });

  it("stays RolledBack while what was put back starts and turns healthy, and through commits that leave the job as it is", async () => {
    w = world();
    await putBack(w);
    w.apps.observe("web", { health: "Progressing", message: "being put back", rolledBack: true });
    await w.until(() => w.status("apps/web")?.reason === "RolledBack");
    w.apps.observe("web", { ...HEALTHY, message: "put back", rolledBack: true });
    await w.until(() => w.status("apps/web")?.health === "Healthy");
    w.mirror.push({ "apps/web.yaml": `# a comment\n${job("web", { image: "2" })}` });
    await w.idle();
    await w.round();
    const reasons = w.events.of("job.changed").map(({ status }) => status.reason);
    expect([w.status("apps/web")?.message, reasons.includes("HeldAfterFailure")]).toEqual([
      "put back",
      false,
    ]);
    expect(w.states()).toEqual({ "apps/web": "OutOfSync/Healthy/RolledBack" });
  });

  it("is not fought over either when that happened while no engine was looking", async () => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
    const first = w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    w.apps.afterApply = () => ({ health: "Progressing", message: "starting" });
    w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
    await w.until(() => w.status("apps/web")?.reason === "Progressing");
    await first.stop();
    w.apps.put("web", { id: "web", image: "1" }, "sluice-test");
    w.apps.observe("web", { ...HEALTHY, rolledBack: true });
    w.start();
    await w.round();
    expect([w.states(), w.apps.writes.length]).toEqual([{ "apps/web": "OutOfSync/Healthy/RolledBack" }, 2]);
  });

  it("is forgotten once Git wants the spec that the scheduler put back, though the scheduler goes on telling of it", async () => {
    w = world();
    await putBack(w);
    w.apps.observe("web", { ...HEALTHY, rolledBack: true });
    await w.until(() => w.status("apps/web")?.reason === "RolledBack");
    w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
    await w.until(() => w.deployment()?.state === "healthy");
    await w.round();
    expect([w.states(), w.apps.writes.length]).toEqual([{ "apps/web": "Synced/Healthy/Applied" }, 2]);
  });

  it("is held across a restart of the engine, and sent again when a person retries", async () => {
    w = world();
    w.apps.fault = (call) => (call === "apply" ? "SCHEDULER_INVALID" : undefined);
    w.mirror.push({ "apps/web.yaml": job("web") });
    const first = w.start();
    await w.until(() => w.deployment()?.state === "degraded");
    expect(w.states()).toEqual({ "apps/web": "OutOfSync/Missing/Refused" });
    await first.stop();
    w.apps.fault = undefined;
    w.start();
    await w.round();
    expect(w.apps.writes.length).toBe(0);
    w.kv.set(
      w.layout.control("sync"),
      JSON.stringify({ at: new Date(w.clock.now()).toISOString(), retry: true }),
    );
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.apps.writes.length).toBe(1);
  });

  it("is not sent again by a sync that does not ask for it, nor by an old wish after a restart", async () => {
    w = world();
    w.kv.set(w.layout.control("sync"), JSON.stringify({ at: "2025-01-01T00:00:00Z", retry: true }));
    let asked = 0;
    w.apps.fault = (call) => {
      if (call !== "apply") return undefined;
      asked += 1;
      return "SCHEDULER_INVALID";
    };
    w.mirror.push({ "apps/web.yaml": job("web") });
    const first = w.start();
    await w.until(() => w.deployment()?.state === "degraded");
    w.kv.set(w.layout.control("sync"), JSON.stringify({ at: "2030-01-01T00:00:00Z", retry: false }));
    await w.round();
    await first.stop();
    w.start();
    await w.round();
    expect(asked).toBe(1);
  });

  it("counts as applied if it turns healthy after all", async () => {
    w = world({ apps: { waitMs: 5_000 } });
    w.apps.afterApply = () => DEGRADED;
    w.mirror.push({ "apps/web.yaml": job("web") });
    w.start();
    await w.until(() => w.deployment()?.state === "degraded");
    w.apps.observe("web", HEALTHY);
    await w.until(() => w.deployment()?.state === "healthy");
    expect([w.states(), w.apps.writes.length]).toEqual([{ "apps/web": "Synced/Healthy/Applied" }, 1]);
  });
});

it("a job that others are rolling out is waited for; nothing of theirs is ended", async () => {
  w = world();
  w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
  const cancelled: string[] = [];
  w.apps.cancel = async (id) => void cancelled.push(id);
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
  w.apps.fault = (call) => (call === "apply" ? "SCHEDULER_LOCKED" : undefined);
  w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
  await w.until(() => w.status("apps/web")?.reason === "Locked");
  await w.round();
  expect(cancelled).toEqual([]);
  w.apps.fault = undefined;
  await w.until(() => w.deployment()?.state === "healthy");
});
