import { type EventBody, encodeRecord, envName, type Revision, type SluiceEvent } from "@sluice/core";
import { manualClock, memoryKv } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { configSchema } from "../config/schema.ts";
import { environmentsOf } from "./environment.ts";
import { readiness } from "./readiness.ts";
import type { Role } from "./roles.ts";

const REVISION = `main@sha1:${"a".repeat(40)}` as Revision;

function setUp(...roles: Role[]) {
  const kv = memoryKv();
  const clock = manualClock();
  const config = configSchema.parse({ environments: { shop: { source: { interval: "10s" } } } });
  const addresses = { consul: "", marathon: "", chronos: "" };
  const environments = environmentsOf(config, addresses, clock, () => 0.5);
  const ready = readiness({
    kv,
    environments,
    roles: new Set<Role>(roles.length > 0 ? roles : ["mirror"]),
    clock,
  });
  return {
    ready,
    kv,
    clock,
    emit(body: EventBody) {
      const at = new Date(clock.now()).toISOString();
      ready.sink.emit({ ...body, environment: envName("shop"), at } as SluiceEvent);
    },
    mirrored(state: "synced" | "applying", previous: Revision | undefined) {
      const marker = { state, revision: REVISION, previous, files: 0, digest: "", at: "" };
      kv.set("sluice/shop/revision", encodeRecord(marker));
    },
  };
}

it.each<[string, EventBody[], string]>([
  ["nothing happened yet", [], "the first mirror is not done yet"],
  [
    "it waits",
    [{ type: "mirror.waiting", reason: "Pending", message: 'the branch "main" does not exist' }],
    'the branch "main" does not exist',
  ],
  ["it fails", [{ type: "mirror.failed", code: "GIT_FAILED", message: "no such host" }], "no such host"],
])(
  "an environment that was never mirrored is not ready, and the reason is what is known: %s",
  async (_, events, why) => {
    const { ready, emit } = setUp();
    for (const event of events) emit(event);
    expect(await ready.problems()).toEqual([`shop: it was never mirrored: ${why}`]);
  },
);

it("a first revision that is half there is not ready; a later one is, for its readers still have the one before", async () => {
  const { ready, mirrored } = setUp();
  mirrored("applying", undefined);
  expect(await ready.problems()).toEqual(["shop: it was never mirrored: the first mirror is not done yet"]);
  mirrored("applying", REVISION);
  expect(await ready.problems()).toEqual([]);
});

it("a mirrored environment is ready, also from another process's hand, and while a failure is young", async () => {
  const { ready, mirrored, emit, clock } = setUp();
  mirrored("synced", undefined);
  expect(await ready.problems()).toEqual([]);
  emit({ type: "mirror.failed", code: "GIT_FAILED", message: "no such host" });
  await clock.advance(29_000);
  expect(await ready.problems()).toEqual([]);
});

it.each<EventBody>([{ type: "mirror.recovered" }, { type: "leader.lost", role: "mirror" }])(
  "a mirror that fails for three intervals is not ready, until %o",
  async (end) => {
    const { ready, mirrored, emit, clock } = setUp();
    mirrored("synced", undefined);
    emit({ type: "mirror.failed", code: "GIT_FAILED", message: "no such host" });
    await clock.advance(31_000);
    expect(await ready.problems()).toEqual(["shop: its mirror has been failing for 31.0s: no such host"]);
    emit(end);
    expect(await ready.problems()).toEqual([]);
  },
);

it("a process that mirrors nothing is ready when the KV answers, and no process is when it does not", async () => {
  const { ready, kv } = setUp("deployer");
  expect(await ready.problems()).toEqual([]);
  kv.fault = () => "KV_UNREACHABLE";
  await expect(ready.problems()).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
});
