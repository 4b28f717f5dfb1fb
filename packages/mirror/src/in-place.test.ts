import { encodePath } from "@sluice/core";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type Bench, bench, expectedFiles, LAYOUT } from "./test-bench.ts";

let one: Bench;
afterEach(async () => {
  await one.stop();
});

const FILES = { "a.yaml": "1", "b/c.yaml": "2", "b/d é.yaml": "3" };

/** A mirror that stopped after it had written these files. */
async function mirroredBefore(files: Readonly<Record<string, string>> = FILES): Promise<string[]> {
  one = bench();
  one.source.push(files);
  await one.settle();
  const calls: string[] = [];
  one.kv.fault = (call) => void calls.push(call);
  return calls;
}

function key(path: string): string {
  return LAYOUT.file(encodePath(path));
}

describe("a mirror that starts where everything is in place", () => {
  it("says so without reading a value, and compares everything within a minute", async () => {
    const calls = await mirroredBefore();
    await one.restart();
    await one.settle();
    expect(one.sink.of("mirror.checked")).toMatchObject([{ files: 3 }]);
    expect(new Set(calls)).toEqual(new Set(["get", "list", "namesUnlessWritten"]));
    // Of the records of changes.
    expect(calls.filter((call) => call === "list")).toHaveLength(1);
    await one.clock.advance(60_000);
    await one.settle();
    expect(calls.filter((call) => call === "list").length).toBeGreaterThan(1);
    expect(one.files()).toEqual(expectedFiles(FILES));
  });

  it("goes on from there: a push writes what it changed, and nothing else", async () => {
    await mirroredBefore();
    await one.restart();
    await one.settle();
    const before = one.kv.commits.length;
    one.source.push({ "a.yaml": "new", "b/d é.yaml": "3", more: "4" });
    await one.settle();
    expect(one.files()).toEqual(expectedFiles({ "a.yaml": "new", "b/d é.yaml": "3", more: "4" }));
    const touched = one.kv.commits.slice(before).flatMap((ops) => ops.map((op) => op.key));
    expect(touched.filter((at) => at.startsWith(LAYOUT.files)).toSorted()).toEqual(
      ["a.yaml", "b/c.yaml", "more"].map(key),
    );
    expect(one.mixes).toEqual([]);
  });

  it.each([
    ["wrote over a file", () => one.kv.set(key("a.yaml"), "by hand")],
    ["removed a file", () => one.kv.unset(key("b/c.yaml"))],
    ["added a key", () => one.kv.set(key("b/x"), "by hand")],
    [
      "put a key in the place of another",
      () => {
        one.kv.unset(key("a.yaml"));
        one.kv.set(key("z.yaml"), "1");
      },
    ],
    ["removed all of them", () => Object.keys(FILES).forEach((path) => void one.kv.unset(key(path)))],
  ])("sees at once that another hand %s while nobody mirrored", async (_, byHand) => {
    await mirroredBefore();
    await one.stop();
    byHand();
    await one.restart();
    await one.settle();
    expect(one.files()).toEqual(expectedFiles(FILES));
    expect(one.sink.of("mirror.repaired")).toHaveLength(1);
  });

  it("finds within a minute what another hand wrote before the marker last moved", async () => {
    await mirroredBefore();
    one.kv.set(key("b/c.yaml"), "by hand");
    one.source.push({ ...FILES, "a.yaml": "new" });
    await one.settle();
    await one.restart();
    await one.settle();
    await one.clock.advance(60_000);
    await one.settle();
    expect(one.files()).toEqual(expectedFiles({ ...FILES, "a.yaml": "new" }));
  });

  it("mirrors what was pushed while nobody did", async () => {
    await mirroredBefore();
    await one.stop();
    one.source.push({ ...FILES, "a.yaml": "new" });
    await one.restart();
    await one.settle();
    expect(one.files()).toEqual(expectedFiles({ ...FILES, "a.yaml": "new" }));
  });

  it("holds the commit exactly, whatever other hands did between its end and the next start", async () => {
    const paths = fc.constantFrom("a.yaml", "b/c.yaml", "b/x", "y");
    const edits = fc.array(fc.record({ path: paths, text: fc.option(fc.constantFrom("1", "2", "hand")) }));
    await fc.assert(
      fc.asyncProperty(edits, async (all) => {
        await mirroredBefore();
        await one.stop();
        for (const { path, text } of all)
          text === null ? one.kv.unset(key(path)) : one.kv.set(key(path), text);
        await one.restart();
        await one.settle();
        expect(one.files()).toEqual(expectedFiles(FILES));
        await one.stop();
      }),
      { numRuns: 200 },
    );
  });
});
