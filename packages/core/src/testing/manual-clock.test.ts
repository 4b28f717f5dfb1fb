import { expect, it } from "vitest";
import { manualClock } from "./manual-clock.ts";

it("stands still until it is moved", async () => {
  const clock = manualClock(1000);
  expect(clock.now()).toBe(1000);
  await clock.advance(50);
  expect(clock.now()).toBe(1050);
});

it("wakes sleepers in the order of their times, each at its own time, and those they start too", async () => {
  const clock = manualClock(0);
  const woken: [string, number][] = [];
  async function sleeper(name: string, ...naps: number[]) {
    for (const ms of naps) {
      await clock.sleep(ms);
      woken.push([name, clock.now()]);
    }
  }
  void Promise.all([
    sleeper("late", 30),
    sleeper("early", 10, 15),
    sleeper("tie", 10),
    sleeper("beyond", 41),
  ]);
  expect(clock.sleepers()).toBe(4);
  await clock.advance(40);
  expect(woken).toEqual([
    ["early", 10],
    ["tie", 10],
    ["early", 25],
    ["late", 30],
  ]);
  expect([clock.sleepers(), clock.now()]).toEqual([1, 40]);
  await clock.advance(1);
  expect(woken.at(-1)).toEqual(["beyond", 41]);
});

it.each([0, -1])("does not sleep for %i ms", async (ms) => {
  const clock = manualClock();
  await clock.sleep(ms);
  expect(clock.sleepers()).toBe(0);
});

it("ends a sleep when its signal aborts, before or during it, without rejecting", async () => {
  const clock = manualClock(0);
  await clock.sleep(1000, AbortSignal.abort());
  const controller = new AbortController();
  const sleep = clock.sleep(1000, controller.signal);
  expect(clock.sleepers()).toBe(1);
  controller.abort();
  await sleep;
  expect([clock.sleepers(), clock.now()]).toEqual([0, 0]);
});
