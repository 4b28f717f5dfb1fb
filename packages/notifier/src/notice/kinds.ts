import type { EventType } from "@sluice/core";

export const SEVERITIES = ["info", "warning", "error"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a message may be about, and how grave it is. */
export const NOTICE_KINDS = {
  "deployment.started": "info",
  "deployment.healthy": "info",
  "deployment.degraded": "error",
  "deployment.stalled": "error",
  "deployment.superseded": "info",
  "job.failed": "error",
  "job.rolled-back": "error",
  "job.held": "warning",
  "job.drifted": "warning",
  "job.prune-pending": "warning",
  "job.adopted": "info",
  "job.recovered": "info",
  "target.failed": "error",
  "target.recovered": "info",
  "mirror.refused": "error",
  "image.committed": "info",
  "image.refused": "warning",
  "build.succeeded": "info",
  "build.failed": "error",
  "router.failed": "error",
  "router.recovered": "info",
  "registrar.failed": "error",
  "registrar.recovered": "info",
  "engine.failed": "error",
  "engine.recovered": "info",
} as const satisfies Record<string, Severity>;
export type NoticeKind = keyof typeof NOTICE_KINDS;

/** Events whose environment has no log of its own: they reach the notifier through one log that all processes write. */
export const WIDE_EVENTS: ReadonlySet<EventType> = new Set<EventType>([
  "image.committed",
  "image.refused",
  "images.invalid",
  "images.failed",
  "images.recovered",
  "build.finished",
  "builds.failed",
  "builds.recovered",
  "router.failed",
  "router.rolled-back",
  "router.held",
  "router.recovered",
  "registrar.failed",
  "registrar.recovered",
]);
