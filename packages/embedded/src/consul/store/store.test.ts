import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lastIndex, openStore, type Store } from "./store.ts";
import { LONGEST_KEY, type Reader } from "./transaction.ts";

describe("the store", () => {
  let folder = "";
  let store: Store;
  const one = Buffer.from("1");
  const keys = (read: Reader, prefix: string) => [...read.range("kv", prefix)].map(({ key }) => key);
  const put = (...names: string[]) => store.write((tx) => names.map((name) => tx.put("kv", name, one)));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "store-"));
    store = await openStore(folder);
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("reads a prefix in byte order, and nothing else", async () => {
    await put("b", "a/é", "a/b", "a", "a0", "a/");
    await store.write((tx) => tx.put("tombstones", "a/x", one));
    expect(keys(store.read, "a/")).toEqual(["a/", "a/b", "a/é"]);
    expect(keys(store.read, "")).toEqual(["a", "a/", "a/b", "a/é", "a0", "b"]);
  });

  it("shows a transaction its own writes, laid over the stored ones", async () => {
    await put("a", "b", "c");
    const seen = await store.write((tx) => {
      tx.remove("kv", "b");
      tx.put("kv", "aa", one);
      tx.put("kv", "c", Buffer.from("new"));
      return [...tx.range("kv", "")].map(({ key, value }) => `${key}=${value}`);
    });
    expect(seen).toEqual(["a=1", "aa=1", "c=new"]);
    expect(keys(store.read, "")).toEqual(["a", "aa", "c"]);
  });

  it("leaves nothing of a transaction that throws, though it shares its commit with others", async () => {
    const effects: string[] = [];
    const results = await Promise.allSettled([
      put("a"),
      store.write((tx) => {
        tx.put("kv", "lost", one);
        tx.afterCommit(() => effects.push("lost"));
        throw new Error("no");
      }),
      store.write((tx) => {
        tx.afterCommit(() => effects.push("kept"));
        return keys(tx, "");
      }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[2]).toMatchObject({ value: ["a"] });
    expect(effects).toEqual(["kept"]);
    expect(keys(store.read, "")).toEqual(["a"]);
  });

  it("gives each changing transaction the next index, and reads none away", async () => {
    const index = () => store.write((tx) => [tx.index(), tx.index()]);
    expect(await Promise.all([index(), index()])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    await store.write(() => undefined);
    expect(lastIndex(store.read)).toBe(2);
  });

  it("keeps everything over a restart", async () => {
    await put("a");
    await store.write((tx) => tx.index());
    await store.close();
    store = await openStore(folder);
    expect([keys(store.read, ""), lastIndex(store.read)]).toEqual([["a"], 1]);
  });

  it("refuses a key that is too long, before anything is written", async () => {
    await put("k".repeat(LONGEST_KEY));
    await expect(put("a", "k".repeat(LONGEST_KEY + 1))).rejects.toThrow(/^Key name too long: 4026 bytes/);
    expect(keys(store.read, "").length).toBe(1);
  });

  it("belongs to one server at a time", async () => {
    await expect(openStore(folder)).rejects.toThrow(`The data folder ${folder} is in use by another server.`);
    await put("still-works");
    expect(keys(store.read, "")).toEqual(["still-works"]);
  });

  it("takes a folder whose path is longer than a socket's may be", async () => {
    const deep = join(folder, "d".repeat(100));
    const other = await openStore(deep);
    await expect(openStore(deep)).rejects.toThrow(/is in use by another server/);
    await other.close();
    await (await openStore(deep)).close();
  });

  it("takes over a lock that a killed server left behind", async () => {
    await store.close();
    await writeFile(join(folder, "lock"), "");
    store = await openStore(folder);
    await put("a");
    expect(keys(store.read, "")).toEqual(["a"]);
  });

  it("says in one sentence that its folder cannot be made", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await expect(openStore(join(file, "data"))).rejects.toMatchObject({
      message: expect.stringMatching(/^The data folder .*\/file\/data cannot be created: ENOTDIR.*\.$/),
      cause: { code: "ENOTDIR" },
    });
  });
});
