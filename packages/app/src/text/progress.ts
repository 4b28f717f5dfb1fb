import type { DeploymentCounts } from "@sluice/core";

/** `3 of 12 jobs healthy, 8 in progress, 1 failed`. */
export function progressText({ jobs, healthy, progressing, failed }: DeploymentCounts): string {
  return `${healthy} of ${jobs} jobs healthy, ${progressing} in progress, ${failed} failed`;
}
