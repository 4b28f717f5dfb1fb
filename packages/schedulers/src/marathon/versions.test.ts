import { type JsonObject, jobId } from "@sluice/core";
import { manualClock } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { fakeMarathon } from "./fake-marathon.ts";
import { refuseUnknownFields } from "./versions.ts";

const CASES: [field: string, since: number, spec: JsonObject][] = [
  ["networks", 5, { networks: [{ mode: "container/bridge" }] }],
  ["container.portMappings", 5, { container: { portMappings: [] } }],
  ["tty", 5, { tty: true }],
  ["healthChecks.delaySeconds", 5, { healthChecks: [{ delaySeconds: 1 }] }],
  ["executorResources", 6, { executorResources: { cpus: 0.1 } }],
  ["healthChecks.ipProtocol", 6, { healthChecks: [{ ipProtocol: "IPv6" }] }],
  ["the constraint IS", 6, { constraints: [["hostname", "IS", "a"]] }],
  ["check", 8, { check: { tcp: {} } }],
  ["role", 9, { role: "dev" }],
  ["resourceLimits", 10, { resourceLimits: { cpus: "unlimited" } }],
];

it.each(CASES)("refuses %s before 1.%i, which would drop it without a word", (field, since, spec) => {
  expect(() => refuseUnknownFields(spec, { minor: since - 1, text: "1.x" })).toThrow(
    `Marathon 1.x does not know ${field} (1.${since} and newer)`,
  );
  expect(() => refuseUnknownFields(spec, { minor: since, text: "1.x" })).not.toThrow();
});

it.each<[string, JsonObject]>([
  ["host networking, which is what it does anyway", { networks: [{ mode: "host" }] }],
  [
    "a pod's networks and executor",
    { containers: [], networks: [{ mode: "container" }], executorResources: {} },
  ],
])("lets 1.4 have %s", (_what, spec) => {
  expect(() => refuseUnknownFields(spec, { minor: 4, text: "1.4.11" })).not.toThrow();
});

it("names every unknown field at once, before anything is written", async () => {
  const { scheduler, lines } = await fakeMarathon({ "GET /v2/info": [200, { version: "1.4.11" }] });
  const spec = { id: "web", cmd: "sleep 1", role: "dev", networks: [{ mode: "container" }] };
  await expect(
    scheduler.apply({ id: jobId("web"), spec, mark: "m", live: undefined, ignore: [] }),
  ).rejects.toMatchObject({
    code: "SCHEDULER_INVALID",
    message: "Marathon 1.4.11 does not know networks (1.5 and newer), role (1.9 and newer)",
  });
  expect(lines()).toEqual([]);
});

it("asks for the version once, and again after a while, since Marathons are upgraded", async () => {
  const clock = manualClock();
  const { scheduler, lines } = await fakeMarathon({ "POST /v2/apps": [201, {}] }, { clock });
  const create = () =>
    scheduler.apply({ id: jobId("a"), spec: { id: "a", cmd: "sl" }, mark: "m", live: undefined, ignore: [] });
  await create();
  await create();
  await clock.advance(600_000);
  await create();
  expect(lines("with reads").filter((line) => line === "GET /v2/info")).toHaveLength(2);
});

it.each([
  ["an answer that is not Marathon's", { hello: "world" }, "SCHEDULER_UNREACHABLE"],
  ["a Marathon whose PUT cannot replace", { version: "1.3.13" }, "SCHEDULER_INVALID"],
  ["a Marathon of another age", { version: "0.15.3" }, "SCHEDULER_INVALID"],
])("writes nothing to %s", async (_what, info, code) => {
  const { scheduler, lines } = await fakeMarathon({ "GET /v2/info": [200, info] });
  const request = { id: jobId("a"), spec: { id: "a" }, mark: "m", live: undefined, ignore: [] };
  await expect(scheduler.apply(request)).rejects.toMatchObject({ code });
  expect(lines()).toEqual([]);
});
