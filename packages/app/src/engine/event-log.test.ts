import { commitId, type EnvName, revisionOf, type SluiceEvent, systemClock } from "@sluice/core";
import { memoryKv } from "@sluice/core/testing";
import { describe, expect, it } from "vitest";
import { eventLog, readEventLog } from "./event-log.ts";

const environment = "production" as EnvName;
const event = (done: number): SluiceEvent => ({
  type: "mirror.progress",
  environment,
  at: "2026-01-01T00:00:00.000Z",
  done,
  total: 1_000,
  revision: revisionOf("main", commitId("a".repeat(40))),
});
const KEY = "sluice/production/events/mirror";

async function seen(kv: ReturnType<typeof memoryKv>) {
  return readEventLog(await kv.get(KEY)).map(({ seq, event: one }) => [
    seq,
    one.type === "mirror.progress" ? one.done : undefined,
  ]);
}

describe("the event log", () => {
  it("keeps events in order, with places that go on after a restart", async () => {
    const kv = memoryKv();
    const first = eventLog({ kv, key: KEY, clock: systemClock });
    first.emit(event(1));
    first.emit(event(2));
    await first.flush();
    const second = eventLog({ kv, key: KEY, clock: systemClock });
    second.emit(event(3));
    await second.flush();
    expect(await seen(kv)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it("writes a burst in a few transactions and keeps the newest 64", async () => {
    const kv = memoryKv();
    const log = eventLog({ kv, key: KEY, clock: systemClock });
    for (let done = 1; done <= 1_000; done++) log.emit(event(done));
    await log.flush();
    const events = await seen(kv);
    expect(events).toHaveLength(64);
    expect(events.at(-1)?.[1]).toBe(1_000);
    expect(kv.commits.length).toBeLessThan(5);
  });

  it("writes the events of a failed write with the next one", async () => {
    const kv = memoryKv();
    const log = eventLog({ kv, key: KEY, clock: systemClock });
    kv.fault = (call) => (call === "commit" ? "KV_UNREACHABLE" : undefined);
    log.emit(event(1));
    await log.flush();
    kv.fault = undefined;
    log.emit(event(2));
    await log.flush();
    expect((await seen(kv)).map(([, done]) => done)).toEqual([1, 2]);
  });

  it("takes a key that was written over by hand for an empty log", async () => {
    const kv = memoryKv();
    kv.set(KEY, "not json");
    const log = eventLog({ kv, key: KEY, clock: systemClock });
    log.emit(event(5));
    await log.flush();
    expect(await seen(kv)).toEqual([[1, 5]]);
  });
});
