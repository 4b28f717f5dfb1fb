import { type DeploymentStatus, encodePath, type Problem, targetName } from "@sluice/core";
import { expect, it } from "vitest";
import { complaintLines } from "./complaints.ts";

const problem = (at: number): Problem => ({
  file: encodePath(`apps/${at}.yaml`),
  line: at,
  reason: "InvalidSpec",
  message: "a job needs an id",
});

function linesOf(more: Partial<DeploymentStatus>) {
  return complaintLines(more as DeploymentStatus);
}

it("names silent targets and unreadable files, and counts those that are not listed", () => {
  const target = targetName("cron");
  const since = "2026-01-01T00:00:00.000Z";
  expect(
    linesOf({
      silent: [{ target, reason: "Denied", message: "it refuses the credentials", since }],
      problems: [problem(1), problem(2)],
      problemsTotal: 60,
    }),
  ).toEqual([
    "✗ target cron Denied since 2026-01-01T00:00:00.000Z: it refuses the credentials",
    "✗ apps/1.yaml:1: a job needs an id",
    "✗ apps/2.yaml:2: a job needs an id",
    "✗ and 58 more problems",
  ]);
  expect(linesOf({ problems: [problem(1)] })).toEqual(["✗ apps/1.yaml:1: a job needs an id"]);
  expect(linesOf({})).toEqual([]);
});
