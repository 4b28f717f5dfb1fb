import { memorySource } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Bench, bench, LAYOUT } from "./test-bench.ts";

/** A repository that cannot be watched, as one on another machine, and how often its branch was looked at. */
function farSource() {
  const { watch: _, ...source } = memorySource();
  const far = { ...source, looks: 0 };
  far.head = async (signal) => {
    far.looks += 1;
    return source.head(signal);
  };
  return far;
}

describe("a webhook's token in the KV", () => {
  let far: ReturnType<typeof farSource>;
  let test: Bench;
  beforeEach(async () => {
    far = farSource();
    test = bench({}, { source: far, intervalMs: 86_400_000 });
    far.push({ a: "1" });
    await test.settle();
    expect(test.files()).toEqual({ a: "1" });
  });
  afterEach(() => test.stop());

  it("makes the mirror look at once, once for each", async () => {
    const before = far.looks;
    far.push({ a: "2" });
    await test.settle();
    expect([test.files(), far.looks - before]).toEqual([{ a: "1" }, 0]);
    test.kv.set(LAYOUT.control("fetch"), "first");
    await test.settle();
    expect([test.files(), far.looks - before]).toEqual([{ a: "2" }, 1]);
    far.push({ a: "3" });
    test.kv.set(LAYOUT.control("fetch"), "second");
    await test.settle();
    expect([test.files(), far.looks - before]).toEqual([{ a: "3" }, 2]);
  });

  it("costs no comparison of everything, as asking for a sync does", async () => {
    test.kv.set(LAYOUT.file("a" as never), "edited");
    test.kv.set(LAYOUT.control("fetch"), "first");
    await test.settle();
    expect(test.files()).toEqual({ a: "edited" });
    test.kv.set(LAYOUT.control("sync"), "first");
    await test.settle();
    expect(test.files()).toEqual({ a: "1" });
  });

  it("is not lost where it comes while nobody leads", async () => {
    await test.stop();
    far.push({ a: "2" });
    test.kv.set(LAYOUT.control("fetch"), "first");
    await test.restart();
    await test.settle();
    expect(test.files()).toEqual({ a: "2" });
  });
});
