import { expect, it } from "vitest";
import type { KvOp } from "../../ports/kv.ts";
import { bytes, contentOf, existing, rejection, type Subjects, textOf, write } from "./subject.ts";

/** `commit`, `putLarge` and `limits`. */
export function transactionRules(subject: Subjects): void {
  it("applies all operations at one index", async () => {
    const { kv, another, prefix } = subject();
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => prefix + name) as [
      string,
      string,
      string,
      string,
    ];
    const before = await write(kv, { [a]: "old", [b]: "old", [c]: "old" });
    const done = await kv.commit([
      { verb: "set", key: a, value: bytes("new") },
      { verb: "cas", key: b, value: bytes("new"), index: before },
      { verb: "delete-cas", key: c, index: before },
      { verb: "cas", key: d, value: bytes("new"), index: "0" },
    ]);
    expect(await contentOf(another, prefix)).toEqual({ [a]: "new", [b]: "new", [d]: "new" });
    const indexes = (await another.list(prefix)).map((entry) => entry.modifyIndex);
    expect(done).toEqual({ applied: true, index: indexes[0] });
    expect(new Set(indexes).size).toBe(1);
  });

  const conflicts: [why: string, op: (at: { a: string; none: string; old: string }) => KvOp][] = [
    ["cas of a key that moved on", ({ a, old }) => ({ verb: "cas", key: a, value: bytes("x"), index: old })],
    [
      "cas of a key that is gone",
      ({ none, old }) => ({ verb: "cas", key: none, value: bytes("x"), index: old }),
    ],
    ["cas at 0 of a key that exists", ({ a }) => ({ verb: "cas", key: a, value: bytes("x"), index: "0" })],
    ["delete-cas of a key that moved on", ({ a, old }) => ({ verb: "delete-cas", key: a, index: old })],
    ["check-index of a key that moved on", ({ a, old }) => ({ verb: "check-index", key: a, index: old })],
    [
      "check-index of a key that is gone",
      ({ none, old }) => ({ verb: "check-index", key: none, index: old }),
    ],
    ["check-not-exists of a key that exists", ({ a }) => ({ verb: "check-not-exists", key: a })],
  ];
  it.each(conflicts)("%s writes nothing and is named by its position", async (_, op) => {
    const { kv, prefix } = subject();
    const [a, b, none] = [`${prefix}a`, `${prefix}b`, `${prefix}none`];
    const old = await write(kv, { [a]: "1" });
    await write(kv, { [a]: "2", [b]: "2" });
    const done = await kv.commit([
      { verb: "set", key: b, value: bytes("lost") },
      { verb: "delete", key: b },
      op({ a, none, old }),
      { verb: "set", key: `${prefix}new`, value: bytes("lost") },
    ]);
    expect(done).toEqual({ applied: false, conflicts: [{ op: 2, what: expect.stringMatching(/\S/) }] });
    expect(await contentOf(kv, prefix)).toEqual({ [a]: "2", [b]: "2" });
  });

  it("names every operation that conflicts", async () => {
    const { kv, prefix } = subject();
    const old = await write(kv, { [`${prefix}a`]: "1" });
    const done = await kv.commit([
      { verb: "check-not-exists", key: `${prefix}a` },
      { verb: "check-index", key: `${prefix}a`, index: old },
      { verb: "check-index", key: `${prefix}b`, index: old },
    ]);
    expect(done.applied || done.conflicts.map((one) => one.op)).toEqual([0, 2]);
  });

  it("checks that hold let the rest through", async () => {
    const { kv, prefix } = subject();
    const [a, none] = [`${prefix}a`, `${prefix}none`];
    const index = await write(kv, { [a]: "1" });
    const done = await kv.commit([
      { verb: "check-index", key: a, index },
      { verb: "check-not-exists", key: none },
      { verb: "set", key: a, value: bytes("2") },
    ]);
    expect(done).toEqual({ applied: true, index: (await existing(kv, a)).modifyIndex });
  });

  it("deleting what is gone already counts as deleted", async () => {
    const { kv, prefix } = subject();
    const key = `${prefix}gone`;
    const index = await write(kv, { [key]: "1" });
    await kv.commit([{ verb: "delete", key }]);
    expect((await kv.commit([{ verb: "delete-cas", key, index }])).applied).toBe(true);
    expect((await kv.commit([{ verb: "delete", key }])).applied).toBe(true);
    expect(await contentOf(kv, prefix)).toEqual({});
  });

  it("deletes one key, not those whose names begin with it", async () => {
    const { kv, prefix } = subject();
    const [a, ab, inside] = [`${prefix}a`, `${prefix}ab`, `${prefix}a/b`];
    const index = await write(kv, { [a]: "1", [ab]: "2", [inside]: "3" });
    await kv.commit([{ verb: "delete-cas", key: a, index }]);
    expect(await contentOf(kv, prefix)).toEqual({ [ab]: "2", [inside]: "3" });
    await kv.commit([{ verb: "delete", key: `${prefix}a/` }]);
    expect(await contentOf(kv, prefix)).toEqual({ [ab]: "2", [inside]: "3" });
  });

  it("writing what is there already keeps the key's index", async () => {
    const { kv, prefix } = subject();
    const [same, other] = [`${prefix}same`, `${prefix}other`];
    const before = await write(kv, { [same]: "1" });
    const done = await kv.commit([
      { verb: "set", key: same, value: bytes("1") },
      { verb: "set", key: other, value: bytes("1") },
    ]);
    expect((await existing(kv, same)).modifyIndex).toBe(before);
    expect(done).toEqual({ applied: true, index: (await existing(kv, other)).modifyIndex });
    await kv.commit([{ verb: "cas", key: same, value: bytes("1"), index: before }]);
    expect((await existing(kv, same)).modifyIndex).toBe(before);
  });

  it("a transaction may hold as many operations as the limits say", async () => {
    const { kv, another, prefix } = subject();
    const names = Array.from({ length: kv.limits.operations }, (_, at) => `${prefix}${at}`);
    await write(kv, Object.fromEntries(names.map((key) => [key, "x"])));
    expect(Object.keys(await contentOf(another, prefix)).sort()).toEqual([...names].sort());
  });

  it("a commit beyond the limits is refused as invalid, and nothing is written", async () => {
    const { kv, prefix } = subject();
    const large: KvOp = { verb: "set", key: `${prefix}a`, value: new Uint8Array(kv.limits.bodyBytes) };
    expect(await rejection(kv.commit([large]))).toMatchObject({ code: "KV_INVALID" });
    const many = Array.from({ length: 2000 }, (_, at): KvOp => ({ verb: "delete", key: `${prefix}${at}` }));
    expect(await rejection(kv.commit(many))).toMatchObject({ code: "KV_INVALID" });
    expect(await contentOf(kv, prefix)).toEqual({});
  });

  it("putLarge writes one value up to the limit of values, at its index only", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}large=20one`;
    const value = Uint8Array.from({ length: kv.limits.valueBytes }, (_, at) => (at * 31) % 256);
    expect(await kv.putLarge(key, value, "0")).toBe(true);
    const entry = await existing(another, key);
    expect(Buffer.compare(entry.value, value)).toBe(0);
    expect(await kv.putLarge(key, bytes("never"), "0")).toBe(false);
    expect(await kv.putLarge(key, bytes("now"), entry.modifyIndex)).toBe(true);
    expect(await kv.putLarge(key, bytes("late"), entry.modifyIndex)).toBe(false);
    expect(await kv.putLarge(`${prefix}none`, bytes("gone"), entry.modifyIndex)).toBe(false);
    expect(await contentOf(another, prefix)).toEqual({ [key]: "now" });
  });

  it("putLarge writes an empty value, and refuses one beyond the limit as invalid", async () => {
    const { kv, prefix } = subject();
    expect(await kv.putLarge(`${prefix}empty`, new Uint8Array(), "0")).toBe(true);
    const beyond = new Uint8Array(kv.limits.valueBytes + 1);
    expect(await rejection(kv.putLarge(`${prefix}beyond`, beyond, "0"))).toMatchObject({
      code: "KV_INVALID",
    });
    expect(await contentOf(kv, prefix)).toEqual({ [`${prefix}empty`]: "" });
  });

  it("of two writers at the same index one wins", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}race`;
    const index = await write(kv, { [key]: "start" });
    const outcomes = await Promise.all(
      [kv, another, kv, another].map((one, at) =>
        one.commit([{ verb: "cas", key, value: bytes(`writer ${at}`), index }]),
      ),
    );
    const winner = outcomes.findIndex((one) => one.applied);
    expect(outcomes.filter((one) => one.applied).length).toBe(1);
    expect(textOf(await kv.get(key))).toBe(`writer ${winner}`);
  });
}
