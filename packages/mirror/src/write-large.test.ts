import type { KvOp } from "@sluice/core";
import { afterEach, expect, it } from "vitest";
import { type Bench, bench, expectedFiles, LAYOUT } from "./test-bench.ts";

let one: Bench;
afterEach(async () => {
  expect(one.mixes).toEqual([]);
  await one.stop();
});

function many(count: number, text = "x"): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`file${at}`, `${text}${at}`]));
}

/** How many operations on files a transaction holds, behind what it does to the marker. */
function shapeOf(ops: readonly KvOp[]): string {
  const marker = ops.find(({ key }) => key === LAYOUT.revision);
  const state =
    marker?.verb === "cas" ? JSON.parse(Buffer.from(marker.value).toString()).state : marker?.verb;
  const files = ops.filter(({ key }) => key.startsWith(LAYOUT.files));
  const removals = files.filter(({ verb }) => verb === "delete-cas");
  return `${state}, ${files.length - removals.length} put, ${removals.length} removed`;
}

it("takes as few transactions as the limits allow: the marker moves with the first and the last files", async () => {
  one = bench({ operations: 100 });
  one.source.push(many(300));
  await one.settle();
  expect(one.kv.commits.map(shapeOf)).toEqual([
    "applying, 99 put, 0 removed",
    "check-index, 99 put, 0 removed",
    "check-index, 99 put, 0 removed",
    "synced, 3 put, 0 removed",
  ]);
  expect(one.files()).toEqual(expectedFiles(many(300)));
});

it("removes nothing before all that takes its place is there", async () => {
  one = bench({ operations: 100 });
  one.source.push(many(150, "old"));
  await one.settle();
  const before = one.kv.commits.length;
  const files = Object.fromEntries(Object.entries(many(150)).map(([path, text]) => [`new-${path}`, text]));
  one.source.push(files);
  await one.settle();
  expect(one.kv.commits.slice(before).map(shapeOf)).toEqual([
    "applying, 99 put, 0 removed",
    "check-index, 51 put, 0 removed",
    "check-index, 0 put, 99 removed",
    "synced, 0 put, 51 removed",
  ]);
  expect(one.files()).toEqual(expectedFiles(files));
});

it("writes the last files on their own where the record of changes leaves them no room", async () => {
  one = bench({ operations: 100, bodyBytes: 20_000 });
  one.source.push({});
  await one.settle();
  const before = one.kv.commits.length;
  // A record of 40 changes has some 3 KiB; the last files alone nearly fill a body.
  const files = { ...many(40, "y".repeat(120)), last: "z".repeat(11_000) };
  one.source.push(files);
  await one.settle();
  const shapes = one.kv.commits.slice(before).map(shapeOf);
  expect(shapes.at(-1)).toBe("synced, 0 put, 0 removed");
  expect(one.files()).toEqual(expectedFiles(files));
});

it("knows the indexes of what went with the last transaction, and of nothing that was removed", async () => {
  one = bench({ operations: 100 });
  const files = many(150);
  one.source.push({ ...files, gone: "1" });
  await one.settle();
  one.source.push({ ...many(150, "new") });
  await one.settle();
  const calls: string[] = [];
  one.kv.fault = (call) => void calls.push(call);
  one.source.push({ ...many(150, "new"), file149: "again", gone: "back" });
  await one.settle();
  expect(calls.filter((call) => call === "list" || call === "getMany")).toEqual([]);
  expect(one.files()).toEqual(expectedFiles({ ...many(150, "new"), file149: "again", gone: "back" }));
});
