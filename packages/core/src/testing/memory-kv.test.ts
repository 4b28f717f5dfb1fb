import { describe, expect, it } from "vitest";
import type { Kv, KvCommit, KvEntry, KvOp } from "../ports/kv.ts";
import { memoryKv } from "./memory-kv.ts";

const LOCK = { ttlMs: 10_000, lockDelayMs: 0, holder: "engine-1" };

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function set(key: string, text: string): KvOp {
  return { verb: "set", key, value: bytes(text) };
}

function never(): AbortSignal {
  return new AbortController().signal;
}

async function indexOf(kv: Kv, key: string): Promise<string> {
  return (await kv.get(key))?.modifyIndex ?? "0";
}

describe("reading", () => {
  it("tells what is there, what is not, and everything under a prefix in key order", async () => {
    const kv = memoryKv();
    for (const key of ["a/2", "a/10", "ab", "a/1"]) kv.set(key, `value of ${key}`);
    expect(await kv.get("a/2")).toEqual({ key: "a/2", value: bytes("value of a/2"), modifyIndex: "1" });
    expect(await kv.get("a")).toBeUndefined();
    expect([...(await kv.getMany(["ab", "no", "a/1"])).keys()]).toEqual(["ab", "a/1"]);
    expect((await kv.list("a/")).map((entry) => entry.key)).toEqual(["a/1", "a/10", "a/2"]);
    expect(kv.dump("a/")).toEqual({ "a/1": "value of a/1", "a/10": "value of a/10", "a/2": "value of a/2" });
    kv.unset("ab");
    expect(Object.keys(kv.dump())).toEqual(["a/1", "a/10", "a/2"]);
  });
});

describe("commit", () => {
  it("gives every key it changed the same index, and leaves that of a key it did not", async () => {
    const kv = memoryKv();
    kv.set("same", "x");
    const before = await indexOf(kv, "same");
    const result = await kv.commit([set("a", "1"), set("b", "2"), set("same", "x")]);
    expect(result).toEqual({ applied: true, index: await indexOf(kv, "a") });
    expect(await indexOf(kv, "b")).toBe(await indexOf(kv, "a"));
    expect(await indexOf(kv, "same")).toBe(before);
    expect(kv.commits).toHaveLength(1);
  });

  const OPS: [string, (index: string) => KvOp, boolean][] = [
    ["cas at its index", (index) => ({ verb: "cas", key: "k", value: bytes("new"), index }), true],
    ["cas at another index", () => ({ verb: "cas", key: "k", value: bytes("new"), index: "77" }), false],
    ["cas as if it did not exist", () => ({ verb: "cas", key: "k", value: bytes("new"), index: "0" }), false],
    ["cas of a new key", () => ({ verb: "cas", key: "new", value: bytes("new"), index: "0" }), true],
    [
      "cas of a key that is gone",
      () => ({ verb: "cas", key: "gone", value: bytes("new"), index: "3" }),
      false,
    ],
    ["delete-cas at its index", (index) => ({ verb: "delete-cas", key: "k", index }), true],
    ["delete-cas at another index", () => ({ verb: "delete-cas", key: "k", index: "77" }), false],
    ["delete-cas of a key that is gone", () => ({ verb: "delete-cas", key: "gone", index: "77" }), true],
    ["delete", () => ({ verb: "delete", key: "k" }), true],
    ["delete of a key that is gone", () => ({ verb: "delete", key: "gone" }), true],
    ["check-index at its index", (index) => ({ verb: "check-index", key: "k", index }), true],
    ["check-index at another", () => ({ verb: "check-index", key: "k", index: "77" }), false],
    ["check-not-exists of a key", () => ({ verb: "check-not-exists", key: "k" }), false],
    ["check-not-exists of none", () => ({ verb: "check-not-exists", key: "gone" }), true],
  ];
  it.each(OPS)("%s", async (_name, op, applies) => {
    const kv = memoryKv();
    kv.set("k", "old");
    const result = await kv.commit([set("beside", "1"), op(await indexOf(kv, "k"))]);
    expect(result.applied).toBe(applies);
    const verb = op("").verb;
    const left = applies && verb === "cas" && op("").key === "k" ? "new" : "old";
    const whole: Record<string, string> = applies ? { beside: "1", k: left } : { k: "old" };
    if (applies && verb.startsWith("delete") && op("").key === "k") delete whole.k;
    if (applies && op("").key === "new") whole.new = "new";
    expect(kv.dump()).toEqual(whole);
  });

  it("names every operation that stood in the way, and writes nothing", async () => {
    const kv = memoryKv();
    kv.set("k", "old");
    const result = await kv.commit([
      { verb: "check-not-exists", key: "k" },
      set("a", "1"),
      { verb: "cas", key: "k", value: bytes("x"), index: "9" },
    ]);
    expect(result.applied === false && result.conflicts.map((one) => one.op)).toEqual([0, 2]);
    expect([kv.dump(), kv.commits]).toEqual([{ k: "old" }, []]);
  });

  it("lets each operation see those before it", async () => {
    const kv = memoryKv();
    kv.set("k", "old");
    const index = await indexOf(kv, "k");
    const twice: KvOp = { verb: "cas", key: "k", value: bytes("x"), index };
    expect((await kv.commit([twice, twice])).applied).toBe(false);
    expect(
      (
        await kv.commit([
          { verb: "delete", key: "k" },
          { verb: "check-not-exists", key: "k" },
        ])
      ).applied,
    ).toBe(true);
  });

  it("keeps a copy of a value, so that its author may reuse the buffer", async () => {
    const kv = memoryKv();
    const value = Buffer.from("a");
    await kv.commit([{ verb: "set", key: "k", value }]);
    value.write("b");
    expect(kv.dump()).toEqual({ k: "a" });
  });

  it.each<[string, KvOp[]]>([
    ["too many operations", [set("a", ""), set("b", ""), set("c", "")]],
    ["a value too large", [set("a", "x".repeat(11))]],
    ["a body too large", [set("a", "x".repeat(9)), set("b", "x".repeat(9))]],
  ])("refuses %s", async (_name, ops) => {
    const kv = memoryKv({ operations: 2, valueBytes: 10, bodyBytes: 20 });
    await expect(kv.commit(ops)).rejects.toMatchObject({ code: "KV_INVALID" });
    expect(kv.dump()).toEqual({});
  });

  it("writes a value beyond a transaction's body by putLarge, if the key did not move", async () => {
    const kv = memoryKv({ bodyBytes: 20, valueBytes: 30 });
    expect(await kv.putLarge("k", bytes("x".repeat(30)), "0")).toBe(true);
    expect(await kv.putLarge("k", bytes("y"), "0")).toBe(false);
    expect(kv.dump()).toEqual({ k: "x".repeat(30) });
    await expect(kv.putLarge("l", bytes("x".repeat(31)), "0")).rejects.toMatchObject({ code: "KV_INVALID" });
  });
});

describe("a fault", () => {
  it("is asked before every call, with its number, and fails it before or after its work", async () => {
    const kv = memoryKv();
    const asked: [string, number][] = [];
    kv.fault = (call, number) => {
      asked.push([call, number]);
      if (number === 2) return "KV_UNREACHABLE";
      return number === 3 ? "after:KV_UNREACHABLE" : undefined;
    };
    await kv.get("a");
    await expect(kv.commit([set("a", "1")])).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
    expect(kv.dump()).toEqual({});
    await expect(kv.commit([set("a", "1")])).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
    expect(kv.dump()).toEqual({ a: "1" });
    await kv.list("");
    expect(asked).toEqual([
      ["get", 1],
      ["commit", 2],
      ["commit", 3],
      ["list", 4],
    ]);
  });

  it("is not needed where a signal aborted: the call rejects with its reason and does nothing", async () => {
    const kv = memoryKv();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(kv.get("a", signal)).rejects.toThrow("enough");
    await expect(kv.commit([set("a", "1")], {}, signal)).rejects.toThrow("enough");
    expect(kv.dump()).toEqual({});
  });
});

describe("watch", () => {
  async function next(seen: AsyncIterator<KvEntry | undefined>): Promise<string | undefined | "end"> {
    const { done, value } = await seen.next();
    return done ? "end" : value && Buffer.from(value.value).toString();
  }

  it("yields the key now, then its latest state after changes, and ends with the signal", async () => {
    const kv = memoryKv();
    const controller = new AbortController();
    const seen = kv.watch("k", { signal: controller.signal })[Symbol.asyncIterator]();
    expect(await next(seen)).toBeUndefined();
    kv.set("k", "1");
    expect(await next(seen)).toBe("1");
    kv.set("k", "2");
    kv.set("other", "x");
    kv.set("k", "3");
    expect(await next(seen)).toBe("3");
    const later = next(seen);
    kv.set("k", "3");
    kv.set("other", "y");
    kv.unset("k");
    expect(await later).toBeUndefined();
    const last = next(seen);
    controller.abort();
    expect(await last).toBe("end");
  });
});

describe("lock", () => {
  it("is one holder's at a time, seen at its key, and fences writes until it is released", async () => {
    const kv = memoryKv();
    const first = await kv.lock("locks/x", LOCK, never());
    expect(await kv.get("locks/x")).toMatchObject({ value: bytes("engine-1"), session: first.fence.session });
    let second: Awaited<ReturnType<Kv["lock"]>> | undefined;
    const waiting = kv.lock("locks/x", { ...LOCK, holder: "engine-2" }, never()).then((lock) => {
      second = lock;
      return lock;
    });
    expect(await kv.commit([set("a", "1")], { fence: first.fence })).toMatchObject({ applied: true });
    expect([second, first.lost.aborted]).toEqual([undefined, false]);
    await first.release();
    const held = await waiting;
    expect(held.fence.session).not.toBe(first.fence.session);
    await expect(kv.commit([set("a", "2")], { fence: first.fence })).rejects.toMatchObject({
      code: "LOCK_LOST",
    });
    const done: KvCommit = await kv.commit([set("a", "3")], { fence: held.fence });
    expect([done.applied, kv.dump("a")]).toEqual([true, { a: "3" }]);
    await first.release();
    expect([held.lost.aborted, (await kv.get("locks/x"))?.session]).toEqual([false, held.fence.session]);
  });

  it("tells its holder when its session ends", async () => {
    const kv = memoryKv();
    const lock = await kv.lock("locks/x", LOCK, never());
    kv.expire(lock.fence);
    expect(lock.lost.aborted).toBe(true);
    expect(lock.lost.reason).toMatchObject({ code: "LOCK_LOST" });
    expect(await kv.get("locks/x")).not.toHaveProperty("session");
    await expect(kv.commit([], { fence: lock.fence })).rejects.toMatchObject({ code: "LOCK_LOST" });
  });

  it("rejects with the signal's reason, before or while it waits", async () => {
    const kv = memoryKv();
    await expect(kv.lock("locks/x", LOCK, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
    await kv.lock("locks/x", LOCK, never());
    const controller = new AbortController();
    const waiting = kv.lock("locks/x", LOCK, controller.signal);
    controller.abort(new Error("while"));
    await expect(waiting).rejects.toThrow("while");
  });

  it("goes to one of many that wait", async () => {
    const kv = memoryKv();
    const first = await kv.lock("locks/x", LOCK, never());
    const got: string[] = [];
    const all = ["a", "b", "c"].map(async (name) => {
      const lock = await kv.lock("locks/x", { ...LOCK, holder: name }, never());
      got.push(`${name} in`);
      await Promise.resolve();
      got.push(`${name} out`);
      await lock.release();
    });
    await first.release();
    await Promise.all(all);
    expect(got).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
  });
});
