import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobId, type JsonObject, systemClock } from "@sluice/core";
import { type Garbling, schedulerConformance } from "@sluice/core/testing/scheduler-conformance";
import { type ChronosProfileName, embeddedChronos } from "@sluice/embedded";
import { chronos, chronosFormat } from "@sluice/schedulers";
import { byHand, deadAddress, garbling, optionsFor, sameAnswer } from "./scheduler-port-server.ts";

const AT = "2099-01-01T03:00:00";
const PREFIX = { "3.x": "/v1/scheduler", "2.x": "/scheduler" } as const;

for (const profile of ["3.x", "2.x"] as const)
  schedulerConformance(`chronos on the embedded server ${profile}`, () => chronosSubject(profile), {
    watch: false,
    cancel: false,
    garbles: true,
    specs: specs(profile),
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
    async garbled(how: Garbling) {
      const away = await garbling(server.address, how);
      stops.push(() => away.stop());
      return chronos(optionsFor(away.address));
    },
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

/** Jobs of every shape; what only one version has is given to that one. */
function specs(profile: ChronosProfileName): Readonly<Record<string, (id: JobId) => JsonObject>> {
  const timed = { command: "true", schedule: `R/${AT}Z/P1D` };
  const shapes: Readonly<Record<string, JsonObject>> = {
    "as little as can be said": timed,
    "a finite schedule of minutes": { command: "true", schedule: `R5/${AT}Z/PT60M` },
    "a schedule with an offset": { command: "true", schedule: `R/${AT}.000+02:00/P1M` },
    "a schedule in a time zone": {
      ...{ command: "true", schedule: `R/${AT}Z/P1W` },
      scheduleTimeZone: "Europe/Berlin",
    },
    "everything that has a default, written out": {
      ...timed,
      ...{ retries: 2, owner: "", shell: true, softError: false, highPriority: false, uris: [] },
      ...{ cpus: 0, mem: 0, disk: 0, executor: "", executorFlags: "", environmentVariables: [] },
    },
    "texts, lists and resources": {
      ...{ ...timed, shell: false, arguments: ["a", "b"], cpus: 0.2, mem: 64, disk: 10, retries: 5 },
      ...{ owner: "a@example.org,b@example.org", description: "nightly", runAsUser: "nobody" },
      environmentVariables: [
        { name: "B", value: "2" },
        { name: "A", value: "" },
      ],
      constraints: [["rack", "EQUALS", "1"]],
    },
    "the deprecated uris": { ...timed, uris: ["http://x/a.tgz"] },
    "a container": {
      ...timed,
      container: {
        ...{ type: "DOCKER", image: "report:1", network: "BRIDGE", forcePullImage: true },
        volumes: [{ containerPath: "/a", hostPath: "/b", mode: "RO" }],
      },
    },
    ...(profile === "2.x"
      ? { "a lateness": { ...timed, command: "echo late", epsilon: "PT10M" } }
      : onlyInThree(timed)),
  };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, (id: JobId) => ({ name: id, ...shape })]),
  );
}

function onlyInThree(timed: JsonObject): Readonly<Record<string, JsonObject>> {
  return {
    "a fetch, a limit and runs side by side": {
      ...{ ...timed, concurrent: true, maxCompletionTime: 60_000 },
      fetch: [{ uri: "http://x/a.tgz", extract: false, output_file: "a" }],
    },
  };
}
