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

it("lets what follows a commit rest, so that a key that changes again is written once", async () => {
  const { kv, writer, clock } = await setUp();
  writer.put("a", text("1"));
  await turns();
  expect(kv.dump("a")).toEqual({ a: "1" });
  writer.put("a", text("2"));
  await turns();
  writer.put("a", text("3"));
  await turns();
  expect([kv.commits.length, kv.dump("a")]).toEqual([1, { a: "1" }]);
  await clock.advance(250);
  expect([kv.commits.length, kv.dump("a")]).toEqual([2, { a: "3" }]);
});

it("hurries the one that somebody waits for, which takes along what has room beside it, and not one that is patient", async () => {
  const { kv, writer } = await setUp({ operations: 2 });
  writer.put("first", text("1"));
  await turns();
  for (const key of ["a", "b", "c"]) writer.put(key, text("1"));
  writer.put("d", text("1"), undefined, "patient");
  await writer.written("c");
  expect([kv.dump("a"), kv.dump("b"), kv.dump("c"), kv.dump("d")]).toEqual([{ a: "1" }, {}, { c: "1" }, {}]);
  await writer.written("d");
  expect(kv.dump("d")).toEqual({});
  await writer.flush();
  expect([kv.dump("b"), kv.dump("d")]).toEqual([{ b: "1" }, { d: "1" }]);
});

it("tells of what was written in the order in which it was put last", async () => {
  const { writer } = await setUp();
  const told: string[] = [];
  writer.put("deployment", text("1"), () => told.push("begun"));
  writer.put("a", text("1"), () => told.push("a"));
  writer.put("deployment", text("2"));
  writer.put("b", text("1"), () => told.push("b"));
  writer.put("deployment", text("3"), () => told.push("ended"));
  await writer.flush();
  expect(told).toEqual(["a", "b", "begun", "ended"]);
});

it("writes what is patient where there is room or nothing else to write, and a key that is put otherwise at its time", async () => {
  const { kv, writer, clock } = await setUp({ operations: 2 });
  writer.put("a", text("1"));
  for (const key of ["p1", "p2", "p3", "p4"]) writer.put(key, text("1"), undefined, "patient");
  await turns();
  expect(Object.keys({ ...kv.dump("a"), ...kv.dump("p") })).toEqual(["a", "p1"]);
  writer.put("b", text("1"));
  writer.put("p4", text("2"));
  await clock.advance(250);
  expect(kv.dump("p")).toEqual({ p1: "1", p4: "2" });
  await clock.advance(250);
  expect(kv.dump("p")).toEqual({ p1: "1", p2: "1", p3: "1", p4: "2" });
});

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
