import { afterEach, expect, it } from "vitest";
import { type Bench, bench, commitOf, expectedFiles, LAYOUT } from "./test-bench.ts";

let one: Bench;

afterEach(async () => {
  expect(one.mixes).toEqual([]);
  await one.stop();
});

const FILES = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`f${at}`, `${at}`]));

it("what an interrupted revision left is looked at only after its marker was moved", async () => {
  one = bench({ operations: 5 });
  let commits = 0;
  let interrupted: string | undefined;
  let looked: string | undefined;
  one.kv.fault = (call) => {
    const marker = one.kv.dump()[LAYOUT.revision];
    if (call === "list" && interrupted !== undefined) looked ??= marker;
    if (call !== "commit" || ++commits !== 3) return undefined;
    interrupted = marker;
    return "KV_UNREACHABLE";
  };
  const commit = one.source.push(FILES);
  await one.settle();
  await one.clock.advance(600);
  expect([interrupted, looked].map((text) => JSON.parse(text ?? "{}"))).toMatchObject([
    { state: "applying" },
    { state: "applying" },
  ]);
  expect(looked).not.toBe(interrupted);
  expect(one.files()).toEqual(expectedFiles(FILES));
  expect(commitOf(one.marker())).toBe(commit);
});

it("a value too large for a transaction is written to a key that was taken under the fence", async () => {
  one = bench({ bodyBytes: 4_000, valueBytes: 10_000 });
  one.source.push({ large: "x".repeat(9_000) });
  await one.settle();
  const key = `${LAYOUT.files}large`;
  const [taking, writing] = one.kv.commits.flat().filter((op) => op.key === key);
  expect(taking).toMatchObject({ verb: "cas", index: "0" });
  expect(writing).toMatchObject({ verb: "cas", index: expect.not.stringMatching(/^0$/) });
  expect(one.files()).toEqual({ large: "x".repeat(9_000) });
});
