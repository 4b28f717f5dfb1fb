import {
  commitId,
  type EnvName,
  type Kv,
  type KvFence,
  type KvLock,
  revisionOf,
  type SluiceEvent,
} from "@sluice/core";
import { manualClock, memoryKv } from "@sluice/core/testing";
import { afterEach, describe, expect, it } from "vitest";
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

/** The fence of one who leads. */
async function leads(kv: Kv): Promise<() => KvFence | undefined> {
  const options = { ttlMs: 10_000, lockDelayMs: 0, holder: "test" };
  const lock = await kv.lock("lock", options, new AbortController().signal);
  held.push(lock);
  return () => (lock.lost.aborted ? undefined : lock.fence);
}
const held: KvLock[] = [];
afterEach(async () => {
  await Promise.all(held.splice(0).map((lock) => lock.release()));
});

async function seen(kv: ReturnType<typeof memoryKv>) {
  return readEventLog(await kv.get(KEY)).map(({ seq, event: one }) => [
    seq,
    one.type === "mirror.progress" ? one.done : undefined,
  ]);
}

describe("the event log", () => {
  it("keeps events in order, with places that go on after a restart", async () => {
    const kv = memoryKv();
    const first = eventLog({ kv, clock: manualClock(), key: KEY, fence: await leads(kv) });
    first.emit(event(1));
    first.emit(event(2));
    await first.flush();
    await held[0]?.release();
    const second = eventLog({ kv, clock: manualClock(), key: KEY, fence: await leads(kv) });
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
    const log = eventLog({ kv, clock: manualClock(), key: KEY, fence: await leads(kv) });
    for (let done = 1; done <= 1_000; done++) log.emit(event(done));
    await log.flush();
    const events = await seen(kv);
    expect(events).toHaveLength(64);
    expect(events.at(-1)?.[1]).toBe(1_000);
    expect(kv.commits.length).toBeLessThan(5);
  });

  it("lets events that follow a write gather for a moment, or until they are many", async () => {
    const kv = memoryKv();
    const clock = manualClock();
    const log = eventLog({ kv, clock, key: KEY, fence: await leads(kv) });
    log.emit(event(1));
    await clock.advance(0);
    log.emit(event(2));
    await clock.advance(49);
    expect((await seen(kv)).map(([, done]) => done)).toEqual([1]);
    log.emit(event(3));
    await clock.advance(1);
    expect([kv.commits.length, (await seen(kv)).map(([, done]) => done)]).toEqual([2, [1, 2, 3]]);
    for (let done = 4; done < 60; done++) log.emit(event(done));
    await clock.advance(0);
    expect([kv.commits.length, (await seen(kv)).length]).toEqual([3, 59]);
  });

  it("writes the events of a failed write with the next one", async () => {
    const kv = memoryKv();
    const log = eventLog({ kv, clock: manualClock(), key: KEY, fence: await leads(kv) });
    kv.fault = (call) => (call === "commit" ? "KV_UNREACHABLE" : undefined);
    log.emit(event(1));
    await log.flush();
    kv.fault = undefined;
    log.emit(event(2));
    await log.flush();
    expect((await seen(kv)).map(([, done]) => done)).toEqual([1, 2]);
  });

  it("goes on where another leader left off, and writes nothing while another leads", async () => {
    const kv = memoryKv();
    const ours: { fence: KvFence | undefined } = { fence: undefined };
    const log = eventLog({ kv, clock: manualClock(), key: KEY, fence: () => ours.fence });
    const lead = async (done: number) => {
      const fence = await leads(kv);
      ours.fence = fence();
      log.emit(event(done));
      await log.flush();
      await held.at(-1)?.release();
    };
    await lead(1);
    log.emit(event(2));
    await log.flush();
    const other = eventLog({ kv, clock: manualClock(), key: KEY, fence: await leads(kv) });
    other.emit(event(3));
    await other.flush();
    log.emit(event(4));
    await log.flush();
    await held.at(-1)?.release();
    await lead(5);
    expect((await seen(kv)).map(([, done]) => done)).toEqual([1, 3, 5]);
    expect((await seen(kv)).map(([seq]) => seq)).toEqual([1, 2, 3]);
  });

  it("takes a key that was written over by hand for an empty log", async () => {
    const kv = memoryKv();
    kv.set(KEY, "not json");
    const log = eventLog({ kv, clock: manualClock(), key: KEY, fence: await leads(kv) });
    log.emit(event(5));
    await log.flush();
    expect(await seen(kv)).toEqual([[1, 5]]);
  });
});
