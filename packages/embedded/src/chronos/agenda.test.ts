import { describe, expect, it } from "vitest";
import { agenda } from "./agenda.ts";

describe("agenda", () => {
  it("gives keys whose time has come, earliest first and in order of setting among equals", () => {
    const one = agenda();
    for (const [key, at] of [
      ["c", 3],
      ["a", 1],
      ["e", 5],
      ["b", 1],
      ["d", 3],
    ] as const)
      one.set(key, at);
    expect(one.next()).toBe(1);
    expect(one.takeDue(3)).toEqual(["a", "b", "c", "d"]);
    expect(one.takeDue(3)).toEqual([]);
    expect(one.next()).toBe(5);
  });

  it("knows only the last time set for a key", () => {
    const one = agenda();
    one.set("moved", 1);
    one.set("moved", 9);
    one.set("removed", 1);
    one.set("removed", undefined);
    one.set("back", 8);
    one.set("back", 2);
    expect(one.takeDue(5)).toEqual(["back"]);
    expect(one.takeDue(9)).toEqual(["moved"]);
    expect(one.next()).toBeUndefined();
  });

  it("agrees with a sorted list whatever is set and moved", () => {
    const one = agenda();
    const plain = new Map<string, number>();
    let seed = 7;
    for (let step = 0; step < 5000; step++) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      const key = `k${seed % 97}`;
      const at = Math.floor(seed / 97) % 1000;
      one.set(key, at);
      plain.set(key, at);
    }
    const times = one.takeDue(1000).map((key) => plain.get(key));
    expect(times).toEqual([...plain.values()].sort((a, b) => a - b));
  });
});
