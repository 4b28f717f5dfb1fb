import { expect, it } from "vitest";
import { bytes, contentOf, existing, rejection, type Subjects, textOf, write } from "./subject.ts";

/** `get`, `getMany` and `list`. */
export function readRules(subject: Subjects): void {
  it("a key that does not exist is undefined, an empty value is not", async () => {
    const { kv, prefix } = subject();
    await write(kv, { [`${prefix}empty`]: "" });
    expect(await kv.get(`${prefix}absent`)).toBe(undefined);
    expect((await existing(kv, `${prefix}empty`)).value.length).toBe(0);
  });

  it("an entry has its key, its value, the index it was written at, and no session", async () => {
    const { kv, another, prefix } = subject();
    const index = await write(kv, { [`${prefix}a`]: "one" });
    const entry = await existing(another, `${prefix}a`);
    expect({ ...entry, value: textOf(entry) }).toStrictEqual({
      key: `${prefix}a`,
      value: "one",
      modifyIndex: index,
    });
    expect(index).toMatch(/^[1-9]\d*$/);
  });

  it("values come back byte for byte", async () => {
    const { kv, another, prefix } = subject();
    const value = Uint8Array.from({ length: 1024 }, (_, at) => (at * 7) % 256);
    const key = `${prefix}binary`;
    await kv.commit([{ verb: "set", key, value }]);
    const [read] = await another.list(prefix);
    const many = (await another.getMany([key, `${prefix}none`])).get(key);
    for (const entry of [await another.get(key), read, many])
      expect(Buffer.from(entry?.value ?? [])).toEqual(Buffer.from(value));
  });

  it.each(["with=20space", "100=25/=C3=BC.yaml", "A/b.c/d_e-f", ".dot/.file", "UPPER"])(
    "the key %s is written, read, listed and deleted under its very name",
    async (name) => {
      const { kv, another, prefix } = subject();
      const key = prefix + name;
      await write(kv, { [key]: name });
      expect(textOf(await another.get(key))).toBe(name);
      expect(await contentOf(another, prefix)).toEqual({ [key]: name });
      await kv.commit([{ verb: "delete", key }]);
      expect(await contentOf(another, prefix)).toEqual({});
    },
  );

  it("names are told while nothing under the prefix was written since", async () => {
    const { kv, another, prefix } = subject();
    const [a, b] = [`${prefix}in/a`, `${prefix}in/b=20c`];
    await write(kv, { [a]: "1", [`${prefix}inner`]: "2" });
    const first = await write(kv, { [b]: "3" });
    expect(await another.namesUnlessWritten(`${prefix}in/`, first)).toEqual([a, b]);
    await write(kv, { [`${prefix}out`]: "4" });
    expect(await another.namesUnlessWritten(`${prefix}in/`, first)).toEqual([a, b]);
    const second = await write(kv, { [a]: "5" });
    expect(await another.namesUnlessWritten(`${prefix}in/`, first)).toBe(undefined);
    expect(await another.namesUnlessWritten(`${prefix}in/`, second)).toEqual([a, b]);
  });

  it("names under a prefix that has none are undefined, and those of removed keys are never told", async () => {
    const { kv, another, prefix } = subject();
    const [a, b] = [`${prefix}in/a`, `${prefix}in/b`];
    const index = await write(kv, { [a]: "1", [b]: "2" });
    expect(await another.namesUnlessWritten(`${prefix}none/`, index)).toBe(undefined);
    await kv.commit([{ verb: "delete", key: b }]);
    expect((await another.namesUnlessWritten(`${prefix}in/`, index)) ?? [a]).toEqual([a]);
    await kv.commit([{ verb: "delete", key: a }]);
    expect(await another.namesUnlessWritten(`${prefix}in/`, index)).toBe(undefined);
  });

  it("getMany gives the keys that exist among those asked for, and each once", async () => {
    const { kv, prefix } = subject();
    const [a, b, gone] = [`${prefix}a`, `${prefix}b`, `${prefix}gone`];
    await write(kv, { [a]: "1", [b]: "", [`${prefix}c`]: "3" });
    const found = await kv.getMany([b, gone, a, a]);
    expect([...found].map(([key, entry]) => [key, entry.key, textOf(entry)]).sort()).toEqual([
      [a, a, "1"],
      [b, b, ""],
    ]);
    expect([...(await kv.getMany([]))]).toEqual([]);
    expect([...(await kv.getMany([gone]))]).toEqual([]);
    expect([...(await kv.getMany([gone, `${prefix}none`]))]).toEqual([]);
  });

  it("getMany takes more keys than one transaction has operations", async () => {
    const { kv, another, prefix } = subject();
    const names = Array.from({ length: 300 }, (_, at) => `${prefix}${at}`);
    const kept = names.filter((_, at) => at % 3 !== 0);
    for (let at = 0; at < kept.length; at += 50)
      await write(kv, Object.fromEntries(kept.slice(at, at + 50).map((key) => [key, `of ${key}`])));
    const found = await another.getMany(names);
    expect([...found.keys()].sort()).toEqual([...kept].sort());
    for (const [key, entry] of found) expect(textOf(entry)).toBe(`of ${key}`);
  });

  it("list gives everything under the prefix in key order, and nothing beside it", async () => {
    const { kv, another, prefix } = subject();
    const folder = `${prefix}app/`;
    const inside = ["z", "B", "a/b", "a-b", "a=20b", "a", "10", "9"];
    const outside = [`${prefix}app`, `${prefix}app2/a`, `${prefix}app-/a`];
    await write(kv, Object.fromEntries(inside.map((name) => [folder + name, name])));
    await write(kv, Object.fromEntries(outside.map((key) => [key, "outside"])));
    const listed = await another.list(folder);
    expect(listed.map((entry) => entry.key)).toEqual(
      ["10", "9", "B", "a", "a-b", "a/b", "a=20b", "z"].map((name) => folder + name),
    );
    expect(listed.map(textOf)).toEqual(listed.map((entry) => entry.key.slice(folder.length)));
  });

  it("list gives the same entries as get", async () => {
    const { kv, prefix } = subject();
    await write(kv, { [`${prefix}a`]: "1", [`${prefix}b`]: "" });
    await write(kv, { [`${prefix}a`]: "2" });
    const single = [await kv.get(`${prefix}a`), await kv.get(`${prefix}b`)];
    expect((await kv.list(prefix)).map(plain)).toEqual(single.map((one) => one && plain(one)));
    expect(await kv.list(`${prefix}none/`)).toEqual([]);
  });

  it("a signal that has aborted ends a read with its reason", async () => {
    const { kv, prefix } = subject();
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    expect(await rejection(kv.get(`${prefix}a`, signal))).toBe(reason);
    expect(await rejection(kv.getMany([`${prefix}a`, `${prefix}b`], signal))).toBe(reason);
    expect(await rejection(kv.list(prefix, signal))).toBe(reason);
    const ops = [{ verb: "set", key: `${prefix}a`, value: bytes("no") }] as const;
    expect(await rejection(kv.commit(ops, {}, signal))).toBe(reason);
    expect(await rejection(kv.putLarge(`${prefix}a`, bytes("no"), "0", signal))).toBe(reason);
    expect(await contentOf(kv, prefix)).toEqual({});
  });
}

function plain({ key, value, modifyIndex }: { key: string; value: Uint8Array; modifyIndex: string }) {
  return { key, value: Buffer.from(value).toString("hex"), modifyIndex };
}
