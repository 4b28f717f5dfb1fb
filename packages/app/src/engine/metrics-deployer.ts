import type { SluiceEvent } from "@sluice/core";
import type { Registry } from "prom-client";
import { instruments } from "./metrics-instruments.ts";

const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];

/** Counts what the deployers of this process do. */
export function deployerMetrics(registry: Registry) {
  const { gauge, counter, histogram } = instruments(registry, "");
  const seconds = histogram(
    "deployment_seconds",
    "Time from a revision seen to its outcome.",
    BUCKETS,
    "environment",
    "state",
  );
  const last = gauge("deployment_last_seconds", "How long the last deployment took.", "environment");
  const finishedAt = gauge(
    "deployment_last_finished_timestamp_seconds",
    "When the last deployment ended.",
    "environment",
  );
  const jobs = gauge(
    "jobs",
    "Jobs by how they did at the end of the last deployment.",
    "environment",
    "state",
  );
  const writes = counter(
    "job_writes_total",
    "Jobs that were written, and why.",
    "environment",
    "kind",
    "cause",
  );
  const pruned = counter("jobs_pruned_total", "Jobs that were removed.", "environment");
  const failing = gauge("target_failing", "1 while a target cannot be read.", "environment", "target");

  return {
    emit(event: SluiceEvent) {
      const { environment } = event;
      if (event.type === "deployment.finished") {
        const { counts, state } = event.status;
        seconds.observe({ environment, state }, event.ms / 1_000);
        last.set({ environment }, event.ms / 1_000);
        finishedAt.set({ environment }, Date.parse(event.at) / 1_000);
        for (const kind of ["healthy", "progressing", "failed"] as const)
          jobs.set({ environment, state: kind }, counts[kind]);
      } else if (event.type === "job.applied")
        writes.inc({ environment, kind: event.kind, cause: event.cause ?? "revision" });
      else if (event.type === "job.pruned") pruned.inc({ environment });
      else if (event.type === "target.failed") failing.set({ environment, target: event.target }, 1);
      else if (event.type === "target.recovered") failing.set({ environment, target: event.target }, 0);
    },
  };
}
