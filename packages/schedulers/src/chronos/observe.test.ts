import { readdirSync, readFileSync } from "node:fs";
import type { JsonObject } from "@sluice/core";
import { expect, it } from "vitest";
import { liveJob, versionOf } from "./live-job.ts";

const FOLDER = new URL("./fixtures/", import.meta.url);
const NEXT = "scheduled, next run at 2026-01-03T03:00:00.000Z";

const EXPECTED: Record<string, [health: string, message: string]> = {
  dependent: ["Healthy", "runs after load, clean"],
  disabled: ["Suspended", "disabled"],
  "failed-again-since-the-last-write": [
    "Degraded",
    "3 runs failed since the last success, last at 2026-01-03T03:00:10.000Z; scheduled, next run at 2026-01-04T03:00:00.000Z",
  ],
  "failed-before-the-last-write": [
    "Healthy",
    `not run since it was changed after a failure at 2026-01-02T03:00:10.000Z; ${NEXT}`,
  ],
  failing: ["Degraded", `2 runs failed since the last success, last at 2026-01-02T03:00:10.000Z; ${NEXT}`],
  finished: ["Healthy", "last run succeeded at 2026-01-02T03:00:10.000Z; its last run is over"],
  "never-ran": ["Healthy", NEXT],
  recovered: ["Healthy", `last run succeeded at 2026-01-02T03:00:10.000Z; ${NEXT}`],
  succeeded: ["Healthy", `last run succeeded at 2026-01-02T03:00:10.000Z; ${NEXT}`],
};

it("has an expectation for every fixture", () => {
  const names = readdirSync(FOLDER).map((name) => name.replace(/^chronos-job-|\.json$/g, ""));
  expect(names.sort()).toEqual(Object.keys(EXPECTED).sort());
});

it.each(Object.entries(EXPECTED))("observes a job that is %s", (name, [health, message]) => {
  const live = liveJob(read(name));
  expect(live).toMatchObject({ id: "nightly", owner: "production", observed: { health, message } });
});

it("keeps a job's version while it runs, and moves it when somebody changes it", () => {
  const job = read("never-ran");
  const ran = { ...job, schedule: "R/2026-01-09T03:00:00.000Z/P1D", successCount: 6, lastSuccess: "x" };
  expect(versionOf(ran)).toBe(versionOf(job));
  for (const change of [
    { command: "./other" },
    { schedule: "R/2026-01-09T04:00:00.000Z/P1D" },
    { disabled: true },
  ])
    expect(versionOf({ ...job, ...change })).not.toBe(versionOf(job));
});

function read(name: string): JsonObject {
  return JSON.parse(readFileSync(new URL(`chronos-job-${name}.json`, FOLDER), "utf8")) as JsonObject;
}
