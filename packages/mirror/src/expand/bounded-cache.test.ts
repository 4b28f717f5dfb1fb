import { expect, it } from "vitest";
import { boundedCache } from "./bounded-cache.ts";

it("remembers what is used, and forgets what was not used for long", () => {
  const cache = boundedCache<number, string>(20, (text) => text.length);
  for (let at = 0; at < 100; at++) {
    cache.set(at, "x");
    expect(cache.get(0)).toBe("x");
    expect(cache.get(at)).toBe("x");
  }
  const kept = Array.from({ length: 100 }, (_, at) => at).filter((at) => cache.get(at) !== undefined);
  expect(kept[0]).toBe(0);
  expect(kept.length).toBeLessThanOrEqual(14);
  expect(kept).toContain(99);
});

it("gives a heavy value back at least once", () => {
  const cache = boundedCache<string, string>(10, (text) => text.length);
  cache.set("a", "x".repeat(1000));
  cache.set("b", "y".repeat(1000));
  expect(cache.get("b")).toHaveLength(1000);
});
