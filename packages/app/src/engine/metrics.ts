import type { EventSink } from "@sluice/core";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { Looked } from "./look.ts";
import { buildMetrics } from "./metrics-builds.ts";
import { deployerMetrics } from "./metrics-deployer.ts";
import { instruments } from "./metrics-instruments.ts";
import { type JobSource, jobMetrics } from "./metrics-jobs.ts";
import { routingMetrics } from "./metrics-routing.ts";
import { mirrorMetrics } from "./mirror-metrics.ts";

/** What a metric means, for the page about them. */
export interface MetricDescription {
  readonly name: string;
  readonly kind: string;
  readonly labels: readonly string[];
  readonly help: string;
}

export interface Metrics {
  readonly sink: EventSink;
  readonly looked: Looked;
  /** Counts a webhook by its provider and by what became of it. */
  webhook(provider: string, outcome: string): void;
  /** The Prometheus text exposition; with a source, how all jobs stand as well. */
  text(jobs?: JobSource): Promise<string>;
  readonly contentType: string;
  /** Every metric of ours, in order; those of the Node process are beside them. */
  readonly described: readonly MetricDescription[];
}

/** Counts what events and looks tell; nothing else in the house knows of metrics. */
export function metrics(now: () => number = Date.now): Metrics {
  const registry = new Registry();
  const { counter } = instruments(registry, "");
  const events = counter("events_total", "Events by type.", "environment", "type");
  const builds = buildMetrics(registry);
  const routing = routingMetrics(registry, now);
  const parts: readonly EventSink[] = [mirrorMetrics(registry), deployerMetrics(registry), builds, routing];
  const jobs = jobMetrics(registry);
  const webhooks = counter(
    "webhooks_total",
    "Webhooks by provider and by what became of them.",
    "provider",
    "outcome",
  );
  const described = registry.getMetricsAsArray().map(describe);
  collectDefaultMetrics({ register: registry, prefix: "sluice_" });

  return {
    contentType: registry.contentType,
    described,
    async text(source) {
      if (source) await jobs.read(source);
      return registry.metrics();
    },
    webhook: (provider, outcome) => webhooks.inc({ provider, outcome }),
    looked(look) {
      builds.looked(look);
      routing.looked(look);
    },
    sink: {
      emit(event) {
        events.inc({ environment: event.environment, type: event.type });
        for (const part of parts) part.emit(event);
      },
    },
  };
}

function describe(metric: object): MetricDescription {
  const { name, help, type, labelNames } = metric as {
    name: string;
    help: string;
    type: string;
    labelNames: readonly string[];
  };
  return { name, help, kind: type, labels: labelNames };
}
