import type { JobStatus, Reason } from "@sluice/core";
import type { NoticeKind } from "./kinds.ts";

/** What is worth telling of a job's state; `well` ends whatever was. */
export type Condition = Extract<NoticeKind, `job.${string}`> | "well";

const CONDITIONS: { readonly [R in Reason]?: Condition } = {
  Applied: "well",
  HealthTimeout: "job.failed",
  Unhealthy: "job.failed",
  Refused: "job.failed",
  InvalidSpec: "job.failed",
  Duplicate: "job.failed",
  DependencyCycle: "job.failed",
  NotOwned: "job.failed",
  PruneRefused: "job.failed",
  Missing: "job.failed",
  RolledBack: "job.rolled-back",
  HeldAfterFailure: "job.held",
  Drifted: "job.drifted",
  PrunePending: "job.prune-pending",
};

/** Undefined: on its way, or waiting for something else; what was told of it before still holds. */
export function conditionOf({ sync, health, reason }: JobStatus): Condition | undefined {
  if (sync === "Synced" && health === "Healthy") return "well";
  return CONDITIONS[reason];
}

/** True where a team has something to mend. */
export function isFailure(condition: Condition): boolean {
  return condition === "job.failed" || condition === "job.rolled-back" || condition === "job.held";
}
