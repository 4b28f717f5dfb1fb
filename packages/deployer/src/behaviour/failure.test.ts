import { type ErrorCode, type Observation, SluiceError } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const HEALTHY: Observation = { health: "Healthy", message: "running" };
const DEGRADED: Observation = { health: "Degraded", message: "crashes" };

describe("a spec that failed", () => {
  it.each<[string, Observation, string]>([
    ["never turned healthy", DEGRADED, "Synced/Degraded/HealthTimeout"],
    ["was given up by the scheduler", { ...DEGRADED, failed: true }, "Synced/Degraded/HealthTimeout"],
    ["was rolled back by the scheduler", { ...HEALTHY, rolledBack: true }, "OutOfSync/Healthy/RolledBack"],
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
    w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    w.apps.afterApply = () => ({ health: "Progressing", message: "starting" });
    w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
    await w.until(() => w.status("apps/web")?.reason === "Progressing");
    w.apps.put("web", { id: "web", image: "1" }, "sluice-test");
    w.apps.observe("web", { ...HEALTHY, rolledBack: true });
    await w.until(() => w.status("apps/web")?.reason === "RolledBack");
    await w.round();
    await w.round();
    expect([w.apps.writes.length, w.apps.jobs.get("web" as never)?.spec.image]).toEqual([2, "1"]);
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

describe("a scheduler", () => {
  it.each<[ErrorCode, string]>([
    ["SCHEDULER_UNREACHABLE", "Unknown/Unknown/Unreachable"],
    ["SCHEDULER_DENIED", "Unknown/Unknown/Denied"],
  ])("that answers a list with %s stops only its own target", async (code, state) => {
    w = world();
    w.cron.fault = () => code;
    w.mirror.push({ "apps/web.yaml": job("web"), "cron/report.yaml": job("report") });
    w.start();
    await w.until(() => w.deployment()?.state === "degraded");
    expect(w.states()).toEqual({ "apps/web": "Synced/Healthy/Applied", "cron/report": state });
    await w.round();
    expect(w.events.of("target.failed").map(({ target, code: told }) => [target, told])).toEqual([
      ["cron", code],
    ]);
    w.cron.fault = undefined;
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.events.of("target.recovered").map(({ target }) => target)).toEqual(["cron"]);
  });

  it.each<[ErrorCode, string]>([
    ["SCHEDULER_LOCKED", "Locked"],
    ["SCHEDULER_CONFLICT", "Conflict"],
    ["SCHEDULER_UNREACHABLE", "Unreachable"],
    ["SCHEDULER_DENIED", "Denied"],
  ])("that answers a write with %s is asked again until it takes it", async (code, reason) => {
    w = world();
    w.apps.fault = (call) => (call === "apply" ? code : undefined);
    w.mirror.push({
      "apps/web.yaml": job("web"),
      "apps/api.yaml": job("api", { sluice: { dependsOn: ["web"] } }),
    });
    w.start();
    await w.until(() => w.status("apps/api")?.reason === "DependencyNotReady");
    expect(w.status("apps/web")?.reason).toBe(reason);
    w.apps.fault = undefined;
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.apps.writes.map(({ id }) => id)).toEqual(["web", "api"]);
  });

  it("that made a write whose answer was lost is not sent it again", async () => {
    w = world();
    const { apply } = w.apps;
    let lost = 0;
    w.apps.apply = async (request, signal) => {
      const answer = await apply(request, signal);
      if (lost++ === 0) throw new SluiceError("SCHEDULER_UNREACHABLE", "connection reset");
      return answer;
    };
    w.mirror.push({ "apps/web.yaml": job("web") });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.apps.writes.length).toBe(1);
  });

  it("whose job moved between plan and write gets a write planned against what is there", async () => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    let moved = false;
    w.apps.fault = (call) => {
      if (call === "apply" && !moved) {
        moved = true;
        w.apps.put("web", { id: "web", image: "by hand" }, "sluice-test");
      }
      return undefined;
    };
    w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.apps.jobs.get("web" as never)?.spec).toEqual({ id: "web", image: "2" });
  });

  it("whose job became somebody else's between plan and write keeps it", async () => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web") });
    let taken = false;
    w.apps.fault = (call) => {
      if (call === "apply" && !taken) {
        taken = true;
        w.apps.put("web", { id: "web", foreign: true });
      }
      return undefined;
    };
    w.start();
    await w.until(() => w.status("apps/web")?.reason === "NotOwned");
    await w.round();
    expect(w.apps.jobs.get("web" as never)?.spec).toEqual({ id: "web", foreign: true });
  });
});

describe("a job that was healthy", () => {
  it("is Unhealthy when it degrades, found by a hint or by a round, and recovers", async () => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web") });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    w.apps.observe("web", DEGRADED);
    await w.idle();
    expect([w.states(), w.deployment()?.state]).toEqual([
      { "apps/web": "Synced/Degraded/Unhealthy" },
      "degraded",
    ]);
    w.apps.observe("web", HEALTHY);
    await w.idle();
    expect([w.states(), w.deployment()?.state, w.apps.writes.length]).toEqual([
      { "apps/web": "Synced/Healthy/Applied" },
      "healthy",
      1,
    ]);
  });
});

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
