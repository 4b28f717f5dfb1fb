import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs, jittered } from "./backoff.ts";

const options = { firstMs: 100, mostMs: 10_000 };

describe("backoffMs", () => {
  it.each([
    [0, 100],
    [1, 200],
    [2, 400],
    [6, 6400],
    [7, 10_000],
    [1000, 10_000],
  ])("after %i earlier failures is up to %i ms, and at least half of it", (failures, most) => {
    expect(backoffMs(failures, options, () => 0)).toBe(most / 2);
    expect(backoffMs(failures, options, () => 0.5)).toBe(0.75 * most);
    expect(backoffMs(failures, options, () => 1 - Number.EPSILON)).toBeCloseTo(most);
  });

  it("never is more than the most, not even the first time", () => {
    expect(backoffMs(0, { firstMs: 500, mostMs: 100 }, () => 0.999)).toBeLessThanOrEqual(100);
  });
});

it("jittered stays within its share either way, and reaches both sides", () => {
  expect([jittered(1000, 0.1, () => 0), jittered(1000, 0.1, () => 0.5)]).toEqual([900, 1000]);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (drawn) => {
      const ms = jittered(1000, 0.1, () => drawn);
      expect(ms).toBeGreaterThanOrEqual(900);
      expect(ms).toBeLessThanOrEqual(1100);
    }),
  );
});
