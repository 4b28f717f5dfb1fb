import type { EventSink } from "@sluice/core";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { mirrorMetrics } from "./mirror-metrics.ts";

export interface Metrics {
  readonly sink: EventSink;
  /** Counts a webhook by its provider and by what became of it. */
  webhook(provider: string, outcome: string): void;
  /** The Prometheus text exposition. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Counts what the events tell; nothing else in the house knows of metrics. */
export function metrics(): Metrics {
  const registers = [new Registry()];
  const registry = registers[0] as Registry;
  collectDefaultMetrics({ register: registry, prefix: "sluice_" });
  const events = new Counter({
    name: "sluice_events_total",
    help: "Events by type.",
    labelNames: ["environment", "type"],
    registers,
  });
  const mirrors = mirrorMetrics(registry);
  const deploySeconds = new Histogram({
    name: "sluice_deployment_seconds",
    help: "Time from a revision seen to its outcome.",
    labelNames: ["environment", "state"],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
    registers,
  });
  const jobs = new Gauge({
    name: "sluice_jobs",
    help: "Jobs by how they did at the end of the last deployment.",
    labelNames: ["environment", "state"],
    registers,
  });
  const webhooks = new Counter({
    name: "sluice_webhooks_total",
    help: "Webhooks by provider and by what became of them.",
    labelNames: ["provider", "outcome"],
    registers,
  });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    webhook: (provider, outcome) => webhooks.inc({ provider, outcome }),
    sink: {
      emit(event) {
        const { environment } = event;
        events.inc({ environment, type: event.type });
        mirrors.emit(event);
        if (event.type === "deployment.finished") {
          const { counts, state } = event.status;
          deploySeconds.observe({ environment, state }, event.ms / 1_000);
          for (const kind of ["healthy", "progressing", "failed"] as const)
            jobs.set({ environment, state: kind }, counts[kind]);
        }
      },
    },
  };
}
