import type { SkippedFile, TreeFile } from "@sluice/core";
import { afterEach, expect, it } from "vitest";
import { type Bench, bench } from "./test-bench.ts";

let one: Bench;
afterEach(() => one.stop());

/** Files whose names say that they are something else. */
function kindOf(path: string): TreeFile["kind"] {
  if (path.includes("link")) return "symlink";
  return path.includes("lfs") ? "lfs" : "file";
}

function withKinds() {
  one = bench();
  const { tree, changes } = one.source;
  const named = (file: TreeFile): TreeFile => ({ ...file, kind: kindOf(file.path) });
  one.source.tree = async (commit, signal) => (await tree(commit, signal)).map(named);
  one.source.changes = async (from, to, signal) =>
    (await changes(from, to, signal)).map((change) => ({
      path: change.path,
      ...(change.from ? { from: named(change.from) } : {}),
      ...(change.to ? { to: named(change.to) } : {}),
    }));
}

async function skippedAt(files: Record<string, string>): Promise<unknown> {
  one.source.push(files);
  await one.settle();
  return one.marker()?.skipped;
}

const LINK: SkippedFile = { path: "apps/link.yaml" as never, kind: "symlink" };
const POINTER: SkippedFile = { path: "apps/lfs.yaml" as never, kind: "lfs" };

it("the marker names the files that are not mirrored, and follows them from revision to revision", async () => {
  withKinds();
  const link = { "apps/link.yaml": "to" };
  expect(await skippedAt({ a: "1" })).toBeUndefined();
  expect(await skippedAt({ a: "1", ...link })).toEqual([LINK]);
  expect(await skippedAt({ a: "2", ...link, "apps/lfs.yaml": "p" })).toEqual([POINTER, LINK]);
  expect(await skippedAt({ a: "2", "apps/lfs.yaml": "q" })).toEqual([POINTER]);
  await one.restart();
  await one.settle();
  expect(one.marker()?.skipped).toEqual([POINTER]);
  expect(await skippedAt({ a: "2" })).toBeUndefined();
});

it("a marker that does not name them is written anew with them at the next comparison of everything", async () => {
  withKinds();
  await skippedAt({ a: "1", "apps/link.yaml": "to" });
  const { skipped: _, ...older } = one.marker() ?? {};
  one.kv.set("sluice/staging/revision", JSON.stringify(older));
  await one.restart();
  await one.clock.advance(60_000);
  expect(one.marker()?.skipped).toEqual([LINK]);
});

it("more of them than can be listed are said to be too many, until they are not", async () => {
  withKinds();
  const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`media/lfs-${at}.png`, "p"]));
  expect(await skippedAt({ a: "1", ...many })).toBe("too many");
  expect(await skippedAt({ a: "2", ...many })).toBe("too many");
  expect(await skippedAt({ a: "2", "apps/lfs.yaml": "p" })).toEqual([POINTER]);
});
