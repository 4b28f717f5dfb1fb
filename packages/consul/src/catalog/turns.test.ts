import { describe, expect, it } from "vitest";
import { takeTurns } from "./turns.ts";

const never = new AbortController().signal;

describe("turns", () => {
  it("are given to so many at once, then in the order of asking", async () => {
    const turns = takeTurns({ most: 2, holdMs: 55_000 });
    const order: string[] = [];
    const ask = (name: string) =>
      turns.enter(never).then((leave) => {
        order.push(name);
        return leave;
      });
    const [a, b] = [await ask("a"), await ask("b")];
    const c = ask("c");
    const d = ask("d");
    expect(order).toEqual(["a", "b"]);
    a();
    a();
    const leaveC = await c;
    expect(order).toEqual(["a", "b", "c"]);
    leaveC();
    await d;
    b();
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  it("are lost by nobody who stops waiting", async () => {
    const turns = takeTurns({ most: 1, holdMs: 1 });
    const leave = await turns.enter(never);
    const stop = new AbortController();
    const gone = turns.enter(stop.signal);
    const next = turns.enter(never);
    stop.abort(new Error("stopped"));
    await expect(gone).rejects.toThrow("stopped");
    leave();
    (await next)();
    await turns.enter(never);
    await expect(turns.enter(stop.signal)).rejects.toThrow("stopped");
  });

  it.each([
    [2, 55_000],
    [3, 10_000],
    [4, 10_000],
    [5, 1_000],
  ])("with %i watches at four places last %i ms", (watches, ms) => {
    const turns = takeTurns({ most: 4, holdMs: 55_000 });
    const ends = Array.from({ length: watches + 1 }, () => turns.join());
    ends[0]?.();
    ends[0]?.();
    expect(turns.holdMs()).toBe(ms);
  });
});
