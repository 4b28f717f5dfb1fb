import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobId, type JsonObject, systemClock } from "@sluice/core";
import { schedulerConformance } from "@sluice/core/testing/scheduler-conformance";
import { type ChronosProfileName, embeddedChronos } from "@sluice/embedded";
import { chronos, chronosFormat } from "@sluice/schedulers";
import { byHand, deadAddress, optionsFor, sameAnswer } from "./scheduler-port-server.ts";

const PREFIX = { "3.x": "/v1/scheduler", "2.x": "/scheduler" } as const;

for (const profile of ["3.x", "2.x"] as const)
  schedulerConformance(`chronos on the embedded server ${profile}`, () => chronosSubject(profile), {
    watch: false,
    cancel: false,
  });

async function chronosSubject(profile: ChronosProfileName) {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-conformance-"));
  const server = await embeddedChronos({ dataDir, profile, execution: "simulated" });
  const base = server.address + PREFIX[profile];
  const stops = [() => server.stop()];

  async function shown(id: JobId): Promise<JsonObject> {
    for (;;) {
      const jobs = (await byHand("GET", `${base}/jobs`)) as JsonObject[];
      const job = jobs.find((one) => one.name === id);
      if (job) return job;
      await systemClock.sleep(5);
    }
  }

  return {
    scheduler: chronos(optionsFor(server.address)),
    compare: chronosFormat().compare,
    changedPath: "description",
    spec,
    async plant(id: JobId) {
      await byHand("POST", `${base}/iso8601`, spec(id, "first"));
      await shown(id);
    },
    async change(id: JobId) {
      await byHand("POST", `${base}/iso8601`, { ...(await shown(id)), description: "by hand" });
    },
    drop: async (id: JobId) => void (await byHand("DELETE", `${base}/job/${id}`)),
    async failing(how: "unreachable" | "denied" | "invalid") {
      if (how === "unreachable") return chronos(optionsFor(await deadAddress()));
      const away = await sameAnswer((_method, path) => {
        if (how === "denied") return { status: 401, body: { message: "no" } };
        if (path.includes("/jobs")) return { status: 200, body: [] };
        return { status: 400, body: { status: "Bad Request", message: "Cannot parse schedule" } };
      });
      stops.push(() => away.stop());
      return chronos(optionsFor(away.address));
    },
    async stop() {
      await Promise.all(stops.map((stop) => stop()));
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function spec(id: JobId, which: "first" | "second"): JsonObject {
  const common = { name: id, schedule: "R/2099-01-01T03:00:00Z/P1D", description: "nightly" };
  return which === "first"
    ? { ...common, command: "true", environmentVariables: [{ name: "LEVEL", value: "info" }] }
    : { ...common, command: "echo done" };
}
