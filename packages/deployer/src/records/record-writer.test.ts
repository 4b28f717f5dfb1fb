import { manualClock, memoryKv } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { recordWriter } from "./record-writer.ts";

async function setUp(limits: Parameters<typeof memoryKv>[0] = {}) {
  const kv = memoryKv(limits);
  const clock = manualClock();
  const lock = await kv.lock(
    "lock",
    { ttlMs: 10_000, lockDelayMs: 0, holder: "test" },
    new AbortController().signal,
  );
  const losses: string[] = [];
  const writer = recordWriter({ kv, fence: lock.fence, clock, onLost: () => losses.push("lost") });
  return { kv, clock, lock, writer, losses };
}

const text = (value: string) => () => Buffer.from(value);

it("writes what is put in one turn in one transaction, each key once with its newest value", async () => {
  const { kv, writer } = await setUp();
  const told: string[] = [];
  writer.put("a", text("1"), () => told.push("a1"));
  writer.put("b", text("1"));
  writer.put("a", text("2"), () => told.push("a2"));
  expect(kv.dump("a")).toEqual({});
  await writer.written("a");
  expect([kv.commits.length, kv.dump("a"), kv.dump("b"), told]).toEqual([
    1,
    { a: "2" },
    { b: "1" },
    ["a1", "a2"],
  ]);
});

it("splits what does not fit one transaction", async () => {
  const { kv, writer } = await setUp({ operations: 10, bodyBytes: 2_000 });
  for (let at = 0; at < 25; at++) writer.put(`small/${String(at).padStart(2, "0")}`, text("x"));
  for (let at = 0; at < 4; at++) writer.put(`large/${at}`, text("x".repeat(900)));
  await writer.flush();
  expect(kv.commits.map((ops) => ops.length)).toEqual([10, 10, 6, 1, 1, 1]);
  expect([Object.keys(kv.dump("small/")).length, Object.keys(kv.dump("large/")).length]).toEqual([25, 4]);
});

it.each(["KV_UNREACHABLE", "after:KV_UNREACHABLE"] as const)(
  "keeps what a commit that failed with %s held, and writes it with the next",
  async (fault) => {
    const { kv, writer } = await setUp();
    const told: string[] = [];
    kv.fault = (call) => (call === "commit" ? fault : undefined);
    writer.put("a", text("1"), () => told.push("a1"));
    writer.put("gone", () => undefined);
    await expect(writer.written("a")).rejects.toThrow("told to fail");
    await expect(writer.flush()).rejects.toThrow("told to fail");
    expect(told).toEqual([]);
    kv.fault = undefined;
    kv.set("gone", "written by hand meanwhile");
    writer.put("b", text("2"));
    await writer.flush();
    expect([kv.dump("a"), kv.dump("b"), kv.dump("gone"), told]).toEqual([{ a: "1" }, { b: "2" }, {}, ["a1"]]);
  },
);

it("writes nothing once the lock is lost, and says so", async () => {
  const { kv, writer, lock, losses } = await setUp();
  kv.expire(lock.fence);
  writer.put("a", text("1"));
  await expect(writer.flush()).rejects.toMatchObject({ code: "LOCK_LOST" });
  expect([kv.dump("a"), losses]).toEqual([{}, ["lost"]]);
});

it("asks for a proof of leadership only where the last one is old", async () => {
  const { kv, writer, clock, lock } = await setUp();
  await writer.prove();
  await writer.prove();
  expect(kv.commits.length).toBe(1);
  await clock.advance(1_001);
  writer.put("a", text("1"));
  await writer.flush();
  await writer.prove();
  expect(kv.commits.length).toBe(2);
  kv.expire(lock.fence);
  await writer.prove();
  await clock.advance(1_001);
  await expect(writer.prove()).rejects.toMatchObject({ code: "LOCK_LOST" });
});
