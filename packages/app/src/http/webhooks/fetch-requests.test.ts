import { envName, kvLayout } from "@sluice/core";
import {
  type ManualClock,
  type MemoryKv,
  manualClock,
  memoryKv,
  type RecordingSink,
  recordingSink,
} from "@sluice/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { type FetchRequests, fetchRequests } from "./fetch-requests.ts";

const place = (name: string) => ({ name: envName(name), layout: kvLayout("sluice", envName(name)) });
const A = place("a");
const B = place("b");
const hint = (delivery: string | number) => ({ by: "github", delivery: String(delivery) });

let kv: MemoryKv;
let clock: ManualClock;
let sink: RecordingSink;
let requests: FetchRequests;
beforeEach(() => {
  kv = memoryKv();
  clock = manualClock();
  sink = recordingSink();
  requests = fetchRequests({ kv, clock, random: () => 0.5, events: sink });
});

/** Asks, and lets what can be written at once be written. */
async function ask(environment: typeof A, delivery: string | number): Promise<void> {
  requests.ask(environment, hint(delivery));
  await clock.advance(0);
}

/** The deliveries written so far, in order: `a 1`. */
function written(): string[] {
  return kv.commits.flat().map((op) => {
    const value = "value" in op ? JSON.parse(Buffer.from(op.value).toString()) : {};
    return `${op.key.split("/")[1]} ${value.delivery}`;
  });
}

describe("requests to look at a branch", () => {
  it("are written at once, each environment for itself", async () => {
    requests.ask(A, hint(1));
    requests.ask(B, hint(2));
    await clock.advance(0);
    expect(kv.dump()).toEqual({
      "sluice/a/control/fetch": '{"at":"2026-01-01T00:00:00.000Z","by":"github","delivery":"1"}',
      "sluice/b/control/fetch": '{"at":"2026-01-01T00:00:00.000Z","by":"github","delivery":"2"}',
    });
  });

  it("are a handful of writes for 500 in a second, the last of them included", async () => {
    for (let n = 1; n <= 500; n++) {
      await ask(A, n);
      await clock.advance(2);
    }
    await clock.advance(10_000);
    expect(written()).toEqual(["a 1", "a 50", "a 150", "a 350", "a 500"]);
  });

  it("are never more than ten a second, and at once again after a quiet while", async () => {
    await ask(A, 1);
    await clock.advance(99);
    await ask(A, 2);
    await ask(A, 3);
    expect(written()).toEqual(["a 1"]);
    await clock.advance(1);
    expect(written()).toEqual(["a 1", "a 3"]);
    await clock.advance(200);
    await ask(A, 4);
    expect(written()).toEqual(["a 1", "a 3", "a 4"]);
  });

  it("have one write in flight, though the KV is slow", async () => {
    let inFlight = 0;
    let most = 0;
    const commit = kv.commit;
    kv.commit = async (...args) => {
      most = Math.max(most, ++inFlight);
      await clock.sleep(500);
      inFlight -= 1;
      return commit(...args);
    };
    for (let n = 1; n <= 50; n++) {
      requests.ask(A, hint(n));
      await clock.advance(50);
    }
    await clock.advance(10_000);
    expect([most, written().at(-1)]).toEqual([1, "a 50"]);
  });

  it("are tried again until they are written, the newest only, and told of once", async () => {
    kv.fault = () => "KV_UNREACHABLE";
    await ask(A, 1);
    await clock.advance(5_000);
    await ask(A, 2);
    await clock.advance(5_000);
    kv.fault = undefined;
    await clock.advance(60_000);
    expect(written()).toEqual(["a 2"]);
    expect(sink.events).toEqual([
      {
        type: "webhook.failed",
        environment: "a",
        at: "2026-01-01T00:00:00.000Z",
        code: "KV_UNREACHABLE",
        message: "told to fail commit",
      },
    ]);
  });

  it("that wait for their turn are written before the engine ends", async () => {
    requests.ask(A, hint(1));
    await clock.advance(0);
    requests.ask(A, hint(2));
    await requests.close();
    requests.ask(A, hint(3));
    expect(written()).toEqual(["a 1", "a 2"]);
  });

  it("do not keep an engine from ending that cannot write", async () => {
    kv.fault = () => "KV_UNREACHABLE";
    requests.ask(A, hint(1));
    await clock.advance(0);
    await requests.close();
    expect(written()).toEqual([]);
  });

  it("are not lost where one comes just as the last pause ends", async () => {
    for (let n = 1; n <= 20; n++) {
      requests.ask(A, hint(n));
      const paused = clock.advance(100);
      for (let turn = 0; turn < n; turn++) await Promise.resolve();
      requests.ask(A, hint(`${n}b`));
      await paused;
      await clock.advance(10_000);
      expect(written().at(-1)).toBe(`a ${n}b`);
    }
  });
});
