import { describe, expect, it } from "vitest";
import { parseDuration, parseMilliseconds } from "./duration.ts";

describe("a Go duration", () => {
  it.each([
    ["0", 0],
    ["15s", 15e9],
    ["1h30m", 5400e9],
    ["1.5s", 1.5e9],
    [".5ms", 500_000],
    ["10us", 10_000],
    ["7ns", 7],
    ["-1m", -60e9],
    ["", undefined],
    ["15", undefined],
    ["s", undefined],
    ["1d", undefined],
    ["1s x", undefined],
  ])("%j is %s nanoseconds", (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
  });

  it("is also told in milliseconds", () => {
    expect(parseMilliseconds("1m")).toBe(60_000);
    expect(parseMilliseconds("nope")).toBeUndefined();
  });
});
