import type { ErrorCode } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

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
});

it.each<[ErrorCode, string]>([
  ["SCHEDULER_UNREACHABLE", "Unreachable"],
  ["SCHEDULER_LOCKED", "Locked"],
  ["SCHEDULER_DENIED", "Denied"],
])(
  "a job whose write keeps being answered with %s is told of once, not at every attempt",
  async (code, reason) => {
    w = world();
    let asked = 0;
    w.apps.fault = (call) => {
      if (call !== "apply") return undefined;
      asked += 1;
      return code;
    };
    w.mirror.push({
      "apps/web.yaml": job("web"),
      "apps/api.yaml": job("api", { sluice: { dependsOn: ["web"] } }),
    });
    w.start();
    await w.until(() => asked > 20, "twenty attempts", 30 * 60_000);
    const told = (key: string) =>
      w.events.of("job.changed").flatMap((event) => (event.key === key ? [event.status.reason] : []));
    expect([told("apps/web"), told("apps/api")]).toEqual([
      ["Pending", reason],
      ["Pending", "DependencyNotReady"],
    ]);
    w.apps.fault = undefined;
    await w.until(() => w.deployment()?.state === "healthy");
    expect(told("apps/web").slice(2)).toEqual(["Progressing", "Applied"]);
  },
);

describe("a target that does not answer", () => {
  it.each<[ErrorCode, string]>([
    ["SCHEDULER_UNREACHABLE", "Unreachable"],
    ["SCHEDULER_DENIED", "Denied"],
  ])(
    "is in the deployment's record while it lasts (%s), and its jobs stay as they were last seen",
    async (code, reason) => {
      w = world();
      w.mirror.push({ "apps/web.yaml": job("web"), "cron/report.yaml": job("report") });
      w.start();
      await w.until(() => w.deployment()?.state === "healthy");
      w.cron.fault = () => code;
      await w.until(() => w.deployment()?.state === "degraded", "the news", 120_000);
      const { since, ...silent } = w.deployment()?.silent?.[0] ?? {};
      expect([silent, w.deployment()?.reason, w.states()]).toEqual([
        { target: "cron", reason, message: "the memory scheduler was told to fail list" },
        reason,
        { "apps/web": "Synced/Healthy/Applied", "cron/report": "Synced/Healthy/Applied" },
      ]);
      expect(Date.parse(since ?? "")).toBeLessThanOrEqual(w.clock.now());
      w.cron.fault = undefined;
      await w.until(() => w.deployment()?.state === "healthy");
      expect(w.deployment()?.silent).toBeUndefined();
      expect(w.events.of("deployment.finished").length).toBe(1);
    },
  );

  it("is not asked more often than its back-off allows, whatever else goes on, but at once when a person asks", async () => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web"), "cron/report.yaml": job("report") });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    let asked = 0;
    w.cron.fault = (call) => {
      if (call === "list") asked += 1;
      return "SCHEDULER_UNREACHABLE";
    };
    await w.clock.advance(5 * 60_000);
    asked = 0;
    for (let push = 0; push < 20; push++) {
      w.mirror.push({ "apps/web.yaml": job("web", { image: `${push}` }), "cron/report.yaml": job("report") });
      await w.clock.advance(1_000);
    }
    expect([asked <= 2, w.apps.jobs.get("web" as never)?.spec.image]).toEqual([true, "19"]);
    asked = 0;
    w.kv.set(w.layout.control("sync"), JSON.stringify({ at: new Date(w.clock.now()).toISOString() }));
    await w.idle();
    expect(asked).toBe(1);
  });
});
