import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobId, JsonObject } from "@sluice/core";
import { schedulerConformance } from "@sluice/core/testing/scheduler-conformance";
import { embeddedMarathon } from "@sluice/embedded";
import { marathon, marathonFormat } from "@sluice/schedulers";
import { vi } from "vitest";
import { byHand, deadAddress, optionsFor, sameAnswer } from "./scheduler-port-server.ts";

schedulerConformance("marathon on the embedded server", marathonSubject, { watch: true, cancel: true });

async function marathonSubject() {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-conformance-"));
  const server = await embeddedMarathon({ dataDir, execution: "simulated", stopGraceMs: 100 });
  const stops = [() => server.stop()];
  const app = (id: JobId) => `${server.address}/v2/apps/${id}`;

  async function settled() {
    await vi.waitFor(async () => {
      const running = (await byHand("GET", `${server.address}/v2/deployments`)) as unknown[];
      if (running.length > 0) throw new Error("a deployment is running");
    });
  }

  return {
    scheduler: marathon(optionsFor(server.address)),
    compare: marathonFormat().compare,
    changedPath: "instances",
    spec,
    plant: async (id: JobId) => void (await byHand("POST", `${server.address}/v2/apps`, spec(id, "first"))),
    async change(id: JobId) {
      await byHand("PUT", app(id), { instances: 3 });
      await settled();
    },
    async drop(id: JobId) {
      await byHand("DELETE", app(id));
      await settled();
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

function spec(id: JobId, which: "first" | "second"): JsonObject {
  const common = {
    id: `/${id}`,
    instances: 1,
    cpus: 0.1,
    mem: 32,
    portDefinitions: [{ port: 0, name: "http" }],
  };
  return which === "first"
    ? { ...common, cmd: "sleep 1000", env: { LEVEL: "info" }, labels: { team: "shop" } }
    : { ...common, cmd: "sleep 2000", labels: { team: "shop" } };
}
