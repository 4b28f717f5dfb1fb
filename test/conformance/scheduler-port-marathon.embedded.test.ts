import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobId, JsonObject } from "@sluice/core";
import { type Garbling, schedulerConformance } from "@sluice/core/testing/scheduler-conformance";
import { embeddedMarathon } from "@sluice/embedded";
import { marathon, marathonFormat } from "@sluice/schedulers";
import { vi } from "vitest";
import { appSpecs, podSpecs } from "./scheduler-port-marathon-specs.ts";
import { byHand, deadAddress, garbling, optionsFor, sameAnswer } from "./scheduler-port-server.ts";

const SMALL = { cpus: 0.1, mem: 32 };
const PROFILES = { "1.4.x": 4, "1.5.x": 5, "1.6.x": 6, "1.8.x": 8, "1.10.x": 10 } as const;

for (const profile of Object.keys(PROFILES) as (keyof typeof PROFILES)[]) {
  const abilities = { watch: true, cancel: true, garbles: true };
  schedulerConformance(
    `marathon on the embedded server ${profile}, apps`,
    () => marathonSubject(profile, app),
    {
      ...abilities,
      specs: appSpecs(PROFILES[profile]),
    },
  );
  schedulerConformance(
    `marathon on the embedded server ${profile}, pods`,
    () => marathonSubject(profile, pod),
    {
      ...abilities,
      specs: podSpecs(),
    },
  );
}

/** One kind of job, as a subject handles it. */
interface Kind {
  readonly path: "apps" | "pods";
  readonly changedPath: string;
  spec(id: JobId, which: "first" | "second"): JsonObject;
  /** The body of a change by hand. */
  changed(shown: JsonObject): JsonObject;
}

async function marathonSubject(profile: keyof typeof PROFILES, kind: Kind) {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-conformance-"));
  const server = await embeddedMarathon({ dataDir, profile, execution: "simulated", stopGraceMs: 100 });
  const { spec } = kind;
  const stops = [() => server.stop()];
  const url = (id: JobId) => `${server.address}/v2/${kind.path}/${id}`;

  async function settled() {
    await vi.waitFor(async () => {
      const running = (await byHand("GET", `${server.address}/v2/deployments`)) as unknown[];
      if (running.length > 0) throw new Error("a deployment is running");
    });
  }

  return {
    scheduler: marathon(optionsFor(server.address)),
    compare: marathonFormat().compare,
    changedPath: kind.changedPath,
    spec,
    plant: async (id: JobId) =>
      void (await byHand("POST", `${server.address}/v2/${kind.path}`, spec(id, "first"))),
    async change(id: JobId) {
      const shown = (await byHand("GET", url(id))) as JsonObject;
      await byHand("PUT", url(id), kind.changed(shown));
      await settled();
    },
    async drop(id: JobId) {
      await byHand("DELETE", url(id));
      await settled();
    },
    async garbled(how: Garbling) {
      const away = await garbling(server.address, how);
      stops.push(() => away.stop());
      return marathon(optionsFor(away.address));
    },
    async failing(how: "unreachable" | "denied" | "invalid") {
      if (how === "unreachable") return marathon(optionsFor(await deadAddress()));
      const away = await sameAnswer((method) => {
        if (how === "denied") return { status: 401, body: { message: "no" } };
        if (method === "GET") return { status: 200, body: { version: "1.10.26" } };
        return { status: 422, body: { message: "Object is not valid", details: [] } };
      });
      stops.push(() => away.stop());
      return marathon(optionsFor(away.address));
    },
    async stop() {
      await Promise.all(stops.map((stop) => stop()));
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const app: Kind = {
  path: "apps",
  changedPath: "instances",
  changed: () => ({ instances: 3 }),
  spec(id, which) {
    const common = { id: `/${id}`, instances: 1, ...SMALL, portDefinitions: [{ port: 0, name: "http" }] };
    return which === "first"
      ? { ...common, cmd: "sleep 1000", env: { LEVEL: "info" }, labels: { team: "shop" } }
      : { ...common, cmd: "sleep 2000", labels: { team: "shop" } };
  },
};

const pod: Kind = {
  path: "pods",
  changedPath: "scaling.instances",
  changed: (shown) => ({ ...shown, scaling: { kind: "fixed", instances: 3 } }),
  spec(id, which) {
    const container = {
      name: "main",
      resources: SMALL,
      exec: { command: { shell: `sleep 1000 # ${which}` } },
    };
    const common = { id: `/${id}`, scaling: { kind: "fixed", instances: 1 }, labels: { team: "shop" } };
    return which === "first"
      ? { ...common, containers: [container], environment: { LEVEL: "info" } }
      : { ...common, containers: [container] };
  },
};
