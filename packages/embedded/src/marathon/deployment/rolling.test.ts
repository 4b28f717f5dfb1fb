import { describe, expect, it } from "vitest";
import type { Container } from "../model.ts";
import { ignition, nextRollingStep } from "./rolling.ts";

const persistent: Container = {
  type: "MESOS",
  volumes: [{ containerPath: "data", persistent: { size: 1 } }],
};

function app(instances: number, min: number, over: number, resident: boolean) {
  return {
    instances,
    upgradeStrategy: { minimumHealthCapacity: min, maximumOverCapacity: over },
    ...(resident && { container: persistent }),
  };
}

describe("the ignition of a rolling restart", () => {
  it.each([
    // instances, minimumHealthCapacity, maximumOverCapacity, count, healthy → maxCapacity, killNow
    [1, 0.5, 0, 1, 1, 2, 0],
    [1, 0.5, 0, 0, 0, 1, 0],
    [2, 0.5, 0, 2, 2, 2, 1],
    [10, 0.1, 0, 1, 1, 10, 0],
    [10, 0.1, 1, 10, 10, 20, 9],
    [10, 1, 1, 10, 10, 20, 0],
    [2, 1, 1, 5, 2, 4, 3],
    [2, 0, 0, 2, 2, 2, 2],
  ])(
    "for n=%d min=%d over=%d with %d of which %d healthy",
    (n, min, over, count, healthy, maxCapacity, killNow) => {
      expect(ignition(app(n, min, over, false), { count, healthy })).toEqual({ maxCapacity, killNow });
    },
  );

  it.each([
    [1, 0.5, 0, 1, 1, 1, 1],
    [1, 0.5, 0, 1, 0, 1, 0],
    [5, 0.5, 0, 5, 5, 5, 2],
    [5, 1, 0, 7, 7, 5, 3],
    [5, 1, 0, 5, 3, 5, 0],
    [5, 1, 0, 5, 5, 5, 1],
  ])(
    "for resident n=%d min=%d over=%d with %d of which %d healthy",
    (n, min, over, count, healthy, maxCapacity, killNow) => {
      expect(ignition(app(n, min, over, true), { count, healthy })).toEqual({ maxCapacity, killNow });
    },
  );
});

describe("the next step of a rolling restart", () => {
  const at = { wanted: 2, maxCapacity: 3, killNow: 0, oldActive: 2, killed: 0, started: 0, ready: 0 };

  it.each([
    ["begins with the room there is", {}, { kill: 0, start: 1, done: false }],
    ["waits for the new one", { started: 1 }, { kill: 0, start: 0, done: false }],
    ["kills one old for one ready", { started: 1, ready: 1 }, { kill: 1, start: 0, done: false }],
    [
      "starts the next when an old one is gone",
      { started: 1, ready: 1, killed: 1, oldActive: 1 },
      { kill: 0, start: 1, done: false },
    ],
    [
      "starts again what failed",
      { started: 0, ready: 0, killed: 1, oldActive: 1 },
      { kill: 0, start: 2, done: false },
    ],
    [
      "is not done while an old one is being killed",
      { started: 2, ready: 2, killed: 2, oldActive: 1 },
      { kill: 0, start: 0, done: false },
    ],
    [
      "is done when all are ready and no old one is left",
      { started: 2, ready: 2, killed: 2, oldActive: 0 },
      { kill: 0, start: 0, done: true },
    ],
  ])("%s", (_, change, expected) => {
    expect(nextRollingStep({ ...at, ...change })).toEqual(expected);
  });
});
