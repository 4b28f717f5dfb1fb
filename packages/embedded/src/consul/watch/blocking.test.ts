import { manualClock } from "@sluice/core/testing";
import { describe, expect, it } from "vitest";
import { block, type Wait } from "./blocking.ts";
import { watchers } from "./watchers.ts";

describe("a blocking query", () => {
  function start(wait: Wait, random = 0, isKnown = false) {
    const clock = manualClock();
    const all = watchers();
    const stop = new AbortController();
    const client = new AbortController();
    const state = { index: 5, runs: 0 };
    const query = {
      topics: ["t"],
      ...(isKnown ? { knownIndex: () => state.index } : {}),
      run() {
        state.runs++;
        return { index: state.index, value: state.runs };
      },
    };
    const context = { watchers: all, clock, random: () => random, stopped: stop.signal };
    let answer: unknown;
    const done = block(query, wait, context, client.signal).then((found) => {
      answer = found;
    });
    return { clock, all, state, stop, client, done, answer: () => answer };
  }

  it.each([
    ["default", 0, 0, 300_000],
    ["asked for", 1_000, 0, 1_000],
    ["longest", 3_600_000, 0, 600_000],
    ["with its jitter", 16_000, 0.5, 16_500],
  ])("ends after its wait: %s", async (_, waitMs, random, expected) => {
    const { clock, answer, done } = start({ index: 5, waitMs }, random);
    await clock.advance(expected - 1);
    expect(answer()).toBeUndefined();
    await clock.advance(1);
    await done;
    expect(answer()).toEqual({ index: 5, value: 2 });
    expect(clock.sleepers()).toBe(0);
  });

  it("sleeps on when it is woken and its index has not moved", async () => {
    const { clock, all, state, answer, done } = start({ index: 5, waitMs: 60_000 });
    all.changed("t");
    await clock.advance(1);
    expect([state.runs, answer()]).toEqual([2, undefined]);
    state.index = 6;
    all.changed("t");
    await done;
    expect(answer()).toEqual({ index: 6, value: 3 });
  });

  it("does not even run while it is known that its index has not moved", async () => {
    const { clock, all, state, answer, done } = start({ index: 5, waitMs: 60_000 }, 0, true);
    all.changed("t");
    await clock.advance(1);
    expect([state.runs, answer()]).toEqual([0, undefined]);
    state.index = 6;
    all.changed("t");
    await done;
    expect(answer()).toEqual({ index: 6, value: 1 });
  });

  it.each(["stop", "client"] as const)("ends when there is nobody to answer: %s", async (who) => {
    const blocked = start({ index: 5, waitMs: 60_000 });
    blocked[who].abort();
    await blocked.done;
    expect(blocked.clock.sleepers()).toBe(0);
  });
});
