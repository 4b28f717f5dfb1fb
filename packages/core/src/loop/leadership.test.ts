import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SluiceError } from "../errors.ts";
import type { EnvName } from "../model/ids.ts";
import { emitterFor } from "../ports/event-sink.ts";
import type { KvLock } from "../ports/kv.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { memoryKv } from "../testing/memory-kv.ts";
import { recordingSink } from "../testing/recording-sink.ts";
import { leadWhileHeld } from "./leadership.ts";

describe("leading while a lock is held", () => {
  const kv = memoryKv();
  const clock = manualClock();
  let sink = recordingSink();
  let failures: unknown[] = [];
  let stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let terms: { lock: KvLock; signal: AbortSignal; end: (error?: unknown) => void }[] = [];

  function start() {
    running = leadWhileHeld(
      {
        kv,
        key: "sluice/locks/thing",
        lock: { ttlMs: 15_000, lockDelayMs: 0, holder: "a" },
        role: "thing",
        emit: emitterFor("test" as EnvName, sink, clock),
        clock,
        random: () => 0.5,
        onFailure: (error) => failures.push(error),
      },
      (lock, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => resolve());
          terms.push({ lock, signal, end: (error) => (error ? reject(error) : resolve()) });
        }),
      stop.signal,
    );
  }

  beforeEach(() => {
    sink = recordingSink();
    failures = [];
    terms = [];
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  async function term(number: number) {
    await expect.poll(() => terms.length).toBe(number);
    return terms[number - 1] as (typeof terms)[number];
  }

  it("works under the lock until told to stop, and gives the lock up", async () => {
    start();
    const { signal, lock } = await term(1);
    expect(kv.dump("sluice/locks/")).toEqual({ "sluice/locks/thing": "a" });
    stop.abort();
    await running;
    expect(signal.aborted).toBe(true);
    const fenced = kv.commit([{ verb: "set", key: "x", value: Buffer.from("1") }], { fence: lock.fence });
    await expect(fenced).rejects.toThrow();
    expect(sink.events.map(({ type }) => type)).toEqual(["leader.elected"]);
  });

  it("ends the term when the lock is lost, and leads again after a pause", async () => {
    start();
    const first = await term(1);
    kv.expire(first.lock.fence);
    await expect.poll(() => clock.sleepers()).toBe(1);
    expect(first.signal.aborted).toBe(true);
    expect(terms).toHaveLength(1);
    await clock.advance(500);
    await term(2);
    expect(sink.events.map(({ type }) => type)).toEqual(["leader.elected", "leader.lost", "leader.elected"]);
    expect(failures).toEqual([]);
  });

  it("tells what a term threw, and tries again with a pause that grows", async () => {
    start();
    for (const [number, pause] of [
      [1, 375],
      [2, 750],
      [3, 1_500],
    ] as const) {
      (await term(number)).end(new Error(`broken ${number}`));
      await expect.poll(() => clock.sleepers()).toBe(1);
      await clock.advance(pause - 1);
      expect(terms).toHaveLength(number);
      await clock.advance(1);
    }
    await term(4);
    expect(failures.map(String)).toEqual(["Error: broken 1", "Error: broken 2", "Error: broken 3"]);
  });

  it("does not tell of a write that a lost lock refused", async () => {
    start();
    (await term(1)).end(new SluiceError("LOCK_LOST", "somebody else leads"));
    await expect.poll(() => clock.sleepers()).toBe(1);
    expect(failures).toEqual([]);
  });
});
