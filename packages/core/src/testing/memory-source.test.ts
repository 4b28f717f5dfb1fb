import { expect, it } from "vitest";
import { blobId } from "../model/digest.ts";
import { commitId } from "../model/ids.ts";
import { memorySource } from "./memory-source.ts";

it("tells each commit's whole tree, its files' bytes, and what differs between two", async () => {
  const source = memorySource("trunk");
  expect([source.branch, await source.head()]).toEqual(["trunk", undefined]);
  const first = source.push({ "a b": "1", gone: "x", same: "s" });
  const second = source.push({ "a b": Buffer.from("2"), same: "s", new: "n" });
  expect(await source.head()).toBe(second);
  const oid = (text: string) => blobId(Buffer.from(text));
  const file = (path: string, text: string) => ({ path, oid: oid(text), kind: "file" });
  expect(await source.tree(first)).toEqual([file("a=20b", "1"), file("gone", "x"), file("same", "s")]);
  expect(await source.changes(first, second)).toEqual([
    { path: "a=20b", from: file("a=20b", "1"), to: file("a=20b", "2") },
    { path: "gone", from: file("gone", "x") },
    { path: "new", to: file("new", "n") },
  ]);
  const texts: string[] = [];
  for await (const bytes of source.blobs.read([oid("2"), oid("1")]))
    texts.push(Buffer.from(bytes).toString());
  expect(texts).toEqual(["2", "1"]);
  expect(await source.describe(second)).toMatchObject({ commit: second });
});

it("makes a commit of its own of the same files", () => {
  const source = memorySource();
  expect(source.push({ a: "1" })).not.toBe(source.push({ a: "1" }));
});

it("moves back, away, and forward again", async () => {
  const source = memorySource();
  const first = source.push({});
  source.push({ a: "1" });
  source.reset(first);
  expect(await source.head()).toBe(first);
  source.reset(undefined);
  expect(await source.head()).toBeUndefined();
});

it("fails while it is told to, and for what it does not have", async () => {
  const source = memorySource();
  const commit = source.push({ a: "1" });
  source.failing = "no network";
  const failure = { code: "GIT_FAILED", message: "no network" };
  for (const call of [() => source.head(), () => source.tree(commit), () => source.describe(commit)])
    await expect(call()).rejects.toMatchObject(failure);
  await expect(source.changes(commit, commit)).rejects.toMatchObject(failure);
  source.failing = undefined;
  await expect(source.tree(commitId("f".repeat(40)))).rejects.toMatchObject({ code: "GIT_OBJECT_MISSING" });
  await expect(
    source.blobs
      .read([blobId(Buffer.from("?"))])
      [Symbol.asyncIterator]()
      .next(),
  ).rejects.toMatchObject({
    code: "GIT_OBJECT_MISSING",
  });
});

it("wakes a watcher at first, once for many moves, and lets go of it when its signal aborts", async () => {
  const source = memorySource();
  const controller = new AbortController();
  const seen = source.watch?.(controller.signal)[Symbol.asyncIterator]();
  expect(await seen?.next()).toEqual({ done: false, value: undefined });
  const moved = seen?.next();
  source.push({});
  source.push({});
  expect(await moved).toEqual({ done: false, value: undefined });
  let woken = false;
  const second = seen?.next().then((result) => {
    woken = true;
    return result;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(woken).toBe(false);
  controller.abort();
  expect(await second).toEqual({ done: true, value: undefined });
});
