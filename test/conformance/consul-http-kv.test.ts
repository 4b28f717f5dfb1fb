import { expect, it } from "vitest";
import { describeConsuls, freshPrefix, indexOf, json, type Target } from "./consul-http-target.ts";

interface Item {
  Key: string;
  Value: string | null;
  Flags: number;
  LockIndex: number;
  CreateIndex: number;
  ModifyIndex: number;
}

describeConsuls("KV", (target) => {
  const put = (key: string, value: string, query = "") =>
    target().call("PUT", `/v1/kv/${key}${query}`, value);
  const list = (prefix: string) => target().call("GET", `/v1/kv/${prefix}?recurse`);
  const item = async (key: string) => first(target(), key);

  it("answers a key with its metadata and the index headers", async () => {
    const key = `${freshPrefix()}a`;
    await put(key, "hello", "?flags=42");
    const reply = await target().call("GET", `/v1/kv/${key}`);
    const [found] = json<Item[]>(reply);
    const index = found?.ModifyIndex;
    expect(json(reply)).toEqual([
      { LockIndex: 0, Key: key, Flags: 42, Value: "aGVsbG8=", CreateIndex: index, ModifyIndex: index },
    ]);
    expect(indexOf(reply)).toBe(index);
    expect(reply.headers.get("x-consul-knownleader")).toBe("true");
    expect(reply.headers.get("x-consul-lastcontact")).toBe("0");
  });

  it("keeps flags of 64 bits and null for an empty value", async () => {
    const key = `${freshPrefix()}a`;
    await put(key, "", "?flags=18446744073709551615");
    const { text } = await target().call("GET", `/v1/kv/${key}`);
    expect(text).toContain('"Flags":18446744073709551615,"Value":null,');
  });

  it("keeps any bytes, also through raw", async () => {
    const key = `${freshPrefix()}bytes`;
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await target().call("PUT", `/v1/kv/${key}`, bytes);
    expect((await item(key)).Value).toBe(bytes.toString("base64"));
    const raw = await fetch(`${target().address}/v1/kv/${key}?raw`);
    expect(Buffer.from(await raw.arrayBuffer()).equals(bytes)).toBe(true);
    expect(raw.headers.get("content-security-policy")).toBe("sandbox");
    expect(raw.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("moves ModifyIndex on a change and not on an identical write", async () => {
    const key = `${freshPrefix()}a`;
    await put(key, "1");
    const created = await item(key);
    await put(key, "1");
    expect(await item(key)).toEqual(created);
    await put(key, "2");
    const changed = await item(key);
    expect(changed.CreateIndex).toBe(created.CreateIndex);
    expect(changed.ModifyIndex).toBeGreaterThan(created.ModifyIndex);
    await put(key, "2", "?flags=1");
    expect((await item(key)).ModifyIndex).toBeGreaterThan(changed.ModifyIndex);
  });

  it("compares and sets", async () => {
    const key = `${freshPrefix()}a`;
    expect((await put(key, "1", "?cas=0")).text).toBe("true");
    expect((await put(key, "2", "?cas=0")).text).toBe("false");
    const { ModifyIndex } = await item(key);
    expect((await put(key, "2", `?cas=${ModifyIndex + 1}`)).text).toBe("false");
    expect((await put(key, "2", `?cas=${ModifyIndex}`)).text).toBe("true");
    expect((await put(key, "3", `?cas=${ModifyIndex}`)).text).toBe("false");
    expect((await item(key)).Value).toBe("Mg==");
  });

  it("compares and deletes", async () => {
    const key = `${freshPrefix()}a`;
    await put(key, "1");
    const { ModifyIndex } = await item(key);
    const remove = (cas: number) => target().call("DELETE", `/v1/kv/${key}?cas=${cas}`);
    expect((await remove(ModifyIndex + 1)).text).toBe("false");
    expect((await remove(ModifyIndex)).text).toBe("true");
    expect((await target().call("GET", `/v1/kv/${key}`)).status).toBe(404);
  });

  it("lists a prefix in the order of bytes, as a plain string prefix", async () => {
    const prefix = freshPrefix();
    const names = ["a", "a/b", "a0", "B", "é", "z", "ｚ", "😀"];
    for (const name of [...names].reverse()) await put(prefix + encodeURIComponent(name), "1");
    const keys = json<Item[]>(await list(prefix)).map(({ Key }) => Key.slice(prefix.length));
    expect(keys).toEqual([...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    const some = json<string[]>(await target().call("GET", `/v1/kv/${prefix}a?keys`));
    expect(some.map((key) => key.slice(prefix.length))).toEqual(["a", "a/b", "a0"]);
  });

  it("keeps unusual characters of a key", async () => {
    const key = `${freshPrefix()}sp ace ?&=%+#".txt`;
    await target().call("PUT", `/v1/kv/${encodeURIComponent(key)}`, "1");
    expect((await first(target(), encodeURIComponent(key))).Key).toBe(key);
  });

  it("answers a list with the index of its latest change, however much else changes", async () => {
    const prefix = freshPrefix();
    await put(`${prefix}a`, "1");
    await put(`${prefix}b`, "1");
    const latest = (await item(`${prefix}b`)).ModifyIndex;
    await put(`${freshPrefix()}else`, "1");
    expect(indexOf(await list(prefix))).toBe(latest);
    expect(indexOf(await target().call("GET", `/v1/kv/${prefix}?keys`))).toBe(latest);
  });

  it("keeps the index of a list monotonic when its newest key is deleted", async () => {
    const prefix = freshPrefix();
    await put(`${prefix}a`, "1");
    await put(`${prefix}b`, "1");
    const before = indexOf(await list(prefix));
    await target().call("DELETE", `/v1/kv/${prefix}b`);
    const after = await list(prefix);
    expect(json<Item[]>(after).map(({ Key }) => Key)).toEqual([`${prefix}a`]);
    expect(indexOf(after)).toBeGreaterThan(before);
    await target().call("DELETE", `/v1/kv/${prefix}?recurse`);
    const gone = await list(prefix);
    expect(gone.status).toBe(404);
    expect(indexOf(gone)).toBeGreaterThan(indexOf(after));
  });

  it("answers a missing key and an empty prefix with the index of the whole table", async () => {
    await put(`${freshPrefix()}else`, "1");
    const table = indexOf(await target().call("GET", "/v1/kv/?keys"));
    const prefix = freshPrefix();
    expect(indexOf(await target().call("GET", `/v1/kv/${prefix}none`))).toBe(table);
    expect(indexOf(await list(prefix))).toBe(table);
  });

  it("deletes exactly what a prefix covers", async () => {
    const prefix = freshPrefix();
    for (const name of ["a/1", "a/2", "ab", "b"]) await put(prefix + name, "1");
    await target().call("DELETE", `/v1/kv/${prefix}a/?recurse`);
    const keys = json<string[]>(await target().call("GET", `/v1/kv/${prefix}?keys`));
    expect(keys).toEqual([`${prefix}ab`, `${prefix}b`]);
  });

  it("takes a value of exactly 512 KiB", async () => {
    const key = `${freshPrefix()}big`;
    expect((await put(key, "x".repeat(524_288))).text).toBe("true");
    expect((await target().call("GET", `/v1/kv/${key}?raw`)).text.length).toBe(524_288);
  });
});

async function first(target: Target, path: string): Promise<Item> {
  const [found] = json<Item[]>(await target.call("GET", `/v1/kv/${path}`));
  if (!found) throw new Error(`no ${path}`);
  return found;
}
