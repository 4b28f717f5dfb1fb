import { readFileSync } from "node:fs";
import { REASONS, type Reason } from "@sluice/core";
import { afterEach, expect, it } from "vitest";
import { job, MARK, type World, world } from "../testing/world.ts";

/** Brings a job into a state with the reason, and out of it again. */
type Scenario = (w: World) => Promise<void>;

const DEGRADED = { health: "Degraded", message: "crashes" } as const;
const STARTING = { health: "Progressing", message: "starting" } as const;
const HEALTHY = { health: "Healthy", message: "running" } as const;
const web = (more: Readonly<Record<string, unknown>> = {}) => ({ "apps/web.yaml": job("web", more) });

async function running(w: World, files: Readonly<Record<string, string>> = web()) {
  w.mirror.push(files);
  w.start();
  await w.until(() => w.deployment()?.state === "healthy");
}

function reached(w: World, reason: Reason, key = "apps/web") {
  return w.until(() => w.status(key)?.reason === reason, reason, 200_000);
}

/** A fault of every write, until it is taken away. */
function refusing(code: "SCHEDULER_CONFLICT" | "SCHEDULER_LOCKED", reason: Reason): Scenario {
  return async (w) => {
    await running(w);
    w.apps.fault = (call) => (call === "apply" ? code : undefined);
    w.mirror.push(web({ image: "2" }));
    await reached(w, reason);
    w.apps.fault = undefined;
    await reached(w, "Applied");
  };
}

/** A fault of every call, from before the job is known. */
function silent(code: "SCHEDULER_DENIED" | "SCHEDULER_UNREACHABLE", reason: Reason): Scenario {
  return async (w) => {
    w.apps.fault = () => code;
    w.mirror.push(web());
    w.start();
    await reached(w, reason);
    w.apps.fault = undefined;
    await reached(w, "Applied");
  };
}

/** A spec that does not become healthy in its time. */
async function failed(w: World) {
  await running(w);
  w.apps.afterApply = () => DEGRADED;
  w.mirror.push(web({ image: "2" }));
  await reached(w, "HealthTimeout");
  w.apps.afterApply = () => HEALTHY;
}

const NOT_HEALED = { "deploy.yaml": "targets: { apps: { heal: false } }" };
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`apps/${at}.yaml`, job(`${at}`)]));

const SCENARIOS: { readonly [R in Reason]: Scenario } = {
  Applied: (w) => running(w),
  Pending: (w) => running(w),
  async Progressing(w) {
    await running(w);
    w.apps.afterApply = () => STARTING;
    w.mirror.push(web({ image: "2" }));
    await reached(w, "Progressing");
    w.apps.observe("web", HEALTHY);
    await reached(w, "Applied");
  },
  async Suspended(w) {
    await running(w);
    w.kv.set(w.layout.control("suspend"), JSON.stringify({ jobs: ["apps/web"] }));
    w.mirror.push(web({ image: "2" }));
    await reached(w, "Suspended");
    w.kv.set(w.layout.control("suspend"), JSON.stringify({}));
    await reached(w, "Applied");
  },
  async OutsideWindow(w) {
    await running(w);
    const closed = 'windows: [{ allow: "Mon-Fri 08:00-18:00" }]';
    w.mirror.push({ ...web({ image: "2" }), "deploy.yaml": closed });
    await reached(w, "OutsideWindow");
    w.mirror.push(web({ image: "2" }));
    await reached(w, "Applied");
  },
  async DependencyNotReady(w) {
    w.apps.afterApply = (id) => (id === "db" ? STARTING : HEALTHY);
    w.mirror.push({ ...web({ sluice: { dependsOn: ["db"] } }), "apps/db.yaml": job("db") });
    w.start();
    await reached(w, "DependencyNotReady");
    w.apps.observe("db" as never, HEALTHY);
    await reached(w, "Applied");
  },
  async DependencyCycle(w) {
    await running(w);
    const cycle = {
      ...web({ sluice: { dependsOn: ["db"] } }),
      "apps/db.yaml": job("db", { sluice: { dependsOn: ["web"] } }),
    };
    w.mirror.push(cycle);
    await reached(w, "DependencyCycle");
    w.mirror.push(web());
    await reached(w, "Applied");
  },
  async InvalidSpec(w) {
    await running(w);
    w.mirror.push({ "apps/web.yaml": "id: [" });
    await reached(w, "InvalidSpec");
    w.mirror.push(web());
    await reached(w, "Applied");
  },
  async Duplicate(w) {
    await running(w);
    w.mirror.push({ ...web(), "apps/again.yaml": job("web") });
    await reached(w, "Duplicate");
    w.mirror.push(web());
    await reached(w, "Applied");
  },
  Conflict: refusing("SCHEDULER_CONFLICT", "Conflict"),
  Locked: refusing("SCHEDULER_LOCKED", "Locked"),
  async Refused(w) {
    await running(w);
    w.apps.fault = (call) => (call === "apply" ? "SCHEDULER_INVALID" : undefined);
    w.mirror.push(web({ image: "2" }));
    await reached(w, "Refused");
    w.apps.fault = undefined;
    w.mirror.push(web({ image: "3" }));
    await reached(w, "Applied");
  },
  Denied: silent("SCHEDULER_DENIED", "Denied"),
  Unreachable: silent("SCHEDULER_UNREACHABLE", "Unreachable"),
  async HealthTimeout(w) {
    await failed(w);
    w.mirror.push(web({ image: "3" }));
    await reached(w, "Applied");
  },
  async Unhealthy(w) {
    await running(w);
    w.apps.observe("web", DEGRADED);
    await reached(w, "Unhealthy");
    w.apps.observe("web", HEALTHY);
    await reached(w, "Applied");
  },
  async RolledBack(w) {
    await running(w);
    w.apps.afterApply = () => STARTING;
    w.mirror.push(web({ image: "2" }));
    await reached(w, "Progressing");
    w.apps.put("web", { id: "web" }, MARK);
    w.apps.observe("web", { ...HEALTHY, rolledBack: true });
    await reached(w, "RolledBack");
    w.apps.afterApply = () => HEALTHY;
    const back = { sluice: { onFailure: "rollback" } };
    w.mirror.push(web({ image: "3", ...back }));
    await reached(w, "Applied");
    w.apps.afterApply = (_, { image }) => (image === "4" ? DEGRADED : HEALTHY);
    w.mirror.push(web({ image: "4", ...back }));
    await reached(w, "RolledBack");
    await w.idle();
    w.mirror.push(web({ image: "5" }));
    await reached(w, "Applied");
  },
  async HeldAfterFailure(w) {
    await failed(w);
    w.apps.put("web", { id: "web" }, MARK);
    w.mirror.push({ "apps/web.yaml": `# a comment\n${job("web", { image: "2" })}` });
    await reached(w, "HeldAfterFailure");
    w.mirror.push(web({ image: "3" }));
    await reached(w, "Applied");
  },
  async Drifted(w) {
    await running(w, { ...web(), ...NOT_HEALED });
    w.apps.put("web", { id: "web", image: "by hand" }, MARK);
    await reached(w, "Drifted");
    w.apps.put("web", { id: "web" }, MARK);
    await reached(w, "Applied");
  },
  async Missing(w) {
    await running(w, { ...web(), ...NOT_HEALED });
    w.apps.drop("web");
    await reached(w, "Missing");
    w.mirror.push(web());
    await reached(w, "Applied");
  },
  async NotOwned(w) {
    w.apps.put("web", { id: "web" });
    w.mirror.push(web());
    w.start();
    await reached(w, "NotOwned");
    w.apps.drop("web");
    await reached(w, "Applied");
  },
  async PruneRefused(w) {
    const kept = web({ sluice: { prune: "never" } });
    await running(w, { ...kept, "apps/db.yaml": job("db") });
    w.mirror.push({ "apps/db.yaml": job("db") });
    await reached(w, "PruneRefused");
    w.mirror.push({ ...kept, "apps/db.yaml": job("db") });
    await reached(w, "Applied");
  },
  async PrunePending(w) {
    await running(w, { ...web(), ...many(10) });
    w.mirror.push(many(3));
    await reached(w, "PrunePending");
    w.mirror.push({ ...web(), ...many(10) });
    await reached(w, "Applied");
  },
};

let w: World;
afterEach(() => w.stop());

async function walk(reason: Reason) {
  w = world({ apps: { waitMs: 5_000 } });
  await SCENARIOS[reason](w);
  await w.idle();
}

/** The reasons the job had, one after another, from nothing on. */
function arrows(): readonly string[] {
  const changes = w.events.of("job.changed").filter(({ key }) => key === "apps/web");
  const steps = changes.map(({ previous, status }) => [previous?.reason ?? "[*]", status.reason]);
  return steps.flatMap(([from, to]) => (from === to ? [] : [`${from} --> ${to}`]));
}

const ALL = Object.keys(REASONS) as Reason[];

it.each(ALL)("a deployer comes to say %s, with a sentence", async (reason) => {
  await walk(reason);
  const told = w.events.of("job.changed").filter(({ status }) => status.reason === reason);
  expect(told.length).toBeGreaterThan(0);
  for (const { status } of told) expect(status.message).not.toBe("");
});

it("the arrows of docs/status.md are the ways jobs go in these scenarios, no more and no less", async () => {
  const gone = new Set<string>();
  for (const reason of ALL) {
    await walk(reason);
    for (const arrow of arrows()) gone.add(arrow);
    await w.stop();
  }
  const page = readFileSync(new URL("../../../../docs/status.md", import.meta.url), "utf8");
  const drawn = [...page.matchAll(/^ {4}(\S+ --> \w+)$/gm)].map(([, arrow]) => arrow);
  expect([...gone].sort()).toEqual(drawn.sort());
});
