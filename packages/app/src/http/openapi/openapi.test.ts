import { envName, kvLayout, revisionOf } from "@sluice/core";
import { type MemoryKv, manualClock, memoryKv } from "@sluice/core/testing";
import { schedulerKind } from "@sluice/schedulers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configSchema } from "../../config/schema.ts";
import { type Closers, closers } from "../../engine/closers.ts";
import { environmentsOf } from "../../engine/environment.ts";
import { eventStream } from "../../engine/event-stream.ts";
import { metrics } from "../../engine/metrics.ts";
import { startHttp } from "../server.ts";
import { openApiDocument } from "./document.ts";
import { OPERATIONS } from "./operations.ts";

const AT = "2026-01-01T00:00:00.000Z";
const REVISION = revisionOf("main", "1".repeat(40) as never);
const layout = kvLayout("sluice", envName("production"));

let closing: Closers;
let address: string;
let routes: string[];
let kv: MemoryKv;

beforeEach(async () => {
  closing = closers();
  routes = [];
  kv = memoryKv();
  const clock = manualClock();
  const config = configSchema.parse({
    http: { port: 0 },
    environments: {
      production: { source: { repository: "/nowhere" }, targets: { apps: { type: "marathon" } } },
    },
  });
  const embedded = { consul: "", marathon: "http://127.0.0.1:1", chronos: "" };
  ({ address } = await startHttp({
    ...{ config, patterned: [], kv, clock, random: () => 0.5, metrics: metrics(), stream: eventStream() },
    environments: environmentsOf(config, embedded, clock, () => 0.5, schedulerKind),
    readiness: { sink: { emit: () => undefined }, looked: () => undefined, problems: async () => [] },
    events: { emit: () => undefined },
    hosted: undefined,
    closing,
    onRoute: (method, path) => routes.push(`${method} ${path}`),
  }));
});
afterEach(() => closing.closeAll());

function seed() {
  const counts = { jobs: 1, healthy: 0, progressing: 0, failed: 1, created: 1, updated: 0, pruned: 0 };
  const ended = { state: "degraded", reason: "HealthTimeout", message: "m", startedAt: AT, finishedAt: AT };
  const job = { sync: "Synced", health: "Degraded", reason: "HealthTimeout", message: "m", since: AT };
  const event = { type: "job.changed", environment: "production", at: AT };
  const record = (key: string, value: unknown) => kv.set(key, JSON.stringify(value));
  record(layout.revision, { state: "synced", revision: REVISION, files: 1, digest: "d", at: AT });
  record(layout.deployment, { attempted: REVISION, ...ended, counts });
  record(layout.status("apps/web" as never), {
    key: "apps/web",
    file: "apps/web.yaml",
    attempted: REVISION,
    ...job,
  });
  record(layout.status("apps/bad" as never), "by hand");
  record(layout.control("suspend"), { jobs: ["apps/web"], notes: { "apps/web": { by: "ada", at: AT } } });
  record(`${layout.events}/deployer`, [{ seq: 7, event }]);
}

describe("the OpenAPI document", () => {
  it("has every route of the server, and no other", () => {
    const served = routes.filter((route) => !/^(HEAD|OPTIONS) /.test(route));
    expect(OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(served.sort());
  });

  it("names each operation once, and is served as it is", async () => {
    const ids = OPERATIONS.map(({ id }) => id);
    expect(ids.length).toBe(new Set(ids).size);
    const answer = await fetch(`${address}/api/v1/openapi.json`);
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  });

  const simple = OPERATIONS.filter(
    ({ method, answer, id }) =>
      method === "GET" && answer && !["history", "buildsOfApp", "images"].includes(id),
  );
  it.each(simple.map((one) => [one.id, one] as const))(
    "%s answers as it says, of something and of nothing",
    async (_, { path, answer }) => {
      for (const prepare of [() => undefined, seed]) {
        prepare();
        const got = await fetch(address + path.replace(":name", "production"));
        expect(got.status).toBe(200);
        answer?.parse(await got.json());
      }
    },
  );

  it.each([
    ["sync", {}],
    ["suspend", { job: "apps/web", why: "because", by: "ada" }],
    ["resume", { all: true }],
    ["prune", { revision: REVISION, targets: ["apps"] }],
  ])("%s answers as it says, and refuses what it does not know", async (id, body) => {
    seed();
    const operation = OPERATIONS.find((one) => one.id === id);
    const post = (what: object) =>
      fetch(address + (operation?.path ?? "").replace(":name", "production"), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(what),
      });
    const done = await post(body);
    expect(done.status).toBe(200);
    operation?.answer?.parse(await done.json());
    const refused = await post({ ...body, by: 7, retry: "x", targets: "x" });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([400, "USAGE"]);
  });
});
