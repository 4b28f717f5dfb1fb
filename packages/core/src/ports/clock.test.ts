import { expect, it } from "vitest";
import { envName } from "../model/ids.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { recordingSink } from "../testing/recording-sink.ts";
import { systemClock } from "./clock.ts";
import { emitterFor } from "./event-sink.ts";

it("the machine's clock sleeps for short and negative times, and longer than Node's timers can only until it is told to stop", async () => {
  await systemClock.sleep(-5);
  await systemClock.sleep(0.5);
  await systemClock.sleep(1000, AbortSignal.abort());
  const controller = new AbortController();
  let slept = false;
  const sleep = systemClock.sleep(2 ** 32, controller.signal).then(() => {
    slept = true;
  });
  await systemClock.sleep(20);
  expect(slept).toBe(false);
  controller.abort();
  await sleep;
  expect(slept).toBe(true);
});

it("an emitter adds environment and time", () => {
  const sink = recordingSink();
  const emit = emitterFor(envName("staging"), sink, manualClock(Date.UTC(2026, 1, 3, 4, 5, 6, 7)));
  emit({ type: "mirror.repaired", keys: 2 });
  emit({ type: "mirror.recovered" });
  const stamp = { environment: "staging", at: "2026-02-03T04:05:06.007Z" };
  expect(sink.events).toEqual([
    { type: "mirror.repaired", keys: 2, ...stamp },
    { type: "mirror.recovered", ...stamp },
  ]);
  expect(sink.of("mirror.repaired").map((event) => event.keys)).toEqual([2]);
});
