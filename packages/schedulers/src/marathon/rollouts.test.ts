import { type JsonObject, jobId, type LiveJob, type Observation } from "@sluice/core";
import { manualClock } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { liveApp } from "./live-app.ts";
import { rollouts } from "./rollouts.ts";

const [T1, T2, T3] = ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"];
const id = jobId("web");
const app = (cmd: string, at: string, more: JsonObject = {}): JsonObject => ({
  ...{ id: "/web", cmd, instances: 2, tasksRunning: 2, deployments: [], version: at },
  versionInfo: { lastConfigChangeAt: at, lastScalingAt: at },
  ...more,
});
const tasks = (...versions: string[]) => ({
  tasks: versions.map((version) => ({ state: "TASK_RUNNING", version })),
});
const outdated = (running: number) => ({
  tasksStats: { withOutdatedConfig: { stats: { counts: { running } } } },
});
const version = (at: string) => `${at} ${at}`;

function judging(clock = manualClock()) {
  const open = rollouts(clock);
  const judge = (shown: JsonObject): Observation => {
    const live: LiveJob = liveApp(shown);
    return open.judge(live, shown);
  };
  return { open, judge, clock };
}

it.each([
  ["by its tasks", tasks(T1, T2)],
  ["by its statistics", outdated(1)],
])("says that a deployment was cancelled half done, %s, once it is sure", async (_how, left) => {
  const { judge, clock } = judging();
  expect(judge(app("new", T2, left))).toEqual({
    health: "Progressing",
    message:
      "2 of 2 instances running; no deployment runs, and 1 of the instances are still of an earlier spec",
  });
  await clock.advance(30_000);
  expect(judge(app("new", T2, left))).toEqual({
    health: "Degraded",
    message:
      "the deployment was cancelled: no deployment runs, and 1 of the instances are still of an earlier spec",
    failed: true,
  });
});

it("is not sure where a deployment was seen in between, or the app was written anew", async () => {
  const { judge, clock } = judging();
  judge(app("new", T2, outdated(1)));
  await clock.advance(30_000);
  judge(app("new", T2, { ...outdated(1), deployments: [{ id: "d" }] }));
  expect(judge(app("new", T2, outdated(1))).failed).toBeUndefined();
  await clock.advance(30_000);
  expect(judge(app("new", T3, outdated(1))).failed).toBeUndefined();
});

it.each([
  ["with tasks of the present spec", tasks(T2, T2)],
  ["with tasks from before a scaling", { ...tasks(T2, T2), version: T3 }],
  ["without statistics of outdated ones", { tasksStats: { withLatestConfig: {} } }],
])("is content with an app %s", (_which, more) => {
  expect(judging().judge(app("new", T2, more)).health).toBe("Healthy");
});

it("says that a deployment was undone where the app is what it was before", () => {
  const { open, judge } = judging();
  open.sent(id, app("old", T1), version(T2));
  expect(judge(app("new", T2, { deployments: [{ id: "d" }] })).failed).toBeUndefined();
  expect(judge(app("old", T3))).toEqual({
    health: "Healthy",
    message:
      "the deployment was undone in Marathon, which runs the earlier spec again: 2 of 2 instances running",
    failed: true,
    rolledBack: true,
  });
});

it("takes a change after the rollout's end for one like any other", () => {
  const { open, judge } = judging();
  open.sent(id, app("old", T1), version(T2));
  expect(judge(app("new", T2)).health).toBe("Healthy");
  expect(judge(app("old", T3)).rolledBack).toBeUndefined();
});

it("takes another change than back to what was there for one like any other", () => {
  const { open, judge } = judging();
  open.sent(id, app("old", T1), version(T2));
  expect(judge(app("third", T3)).rolledBack).toBeUndefined();
});
