import type { EventSink, SluiceEvent } from "@sluice/core";
import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import { instruments as instrumentsOf } from "./metrics-instruments.ts";

/** Counts what the mirrors tell. */
export function mirrorMetrics(registry: Registry): EventSink {
  const made = instrumentsOf(registry, "mirror_");
  const counter = (name: string, help: string, ...labels: string[]) =>
    made.counter(name, help, "environment", ...labels);
  const gauge = (name: string, help: string, ...labels: string[]) =>
    made.gauge(name, help, "environment", ...labels);
  const histogram = (name: string, help: string, buckets: number[]) =>
    made.histogram(`${name}_seconds`, help, buckets, "environment");
  const instruments = {
    revision: gauge("revision_info", "The last revision mirrored whole; always 1.", "revision"),
    at: gauge(
      "last_synced_timestamp_seconds",
      "When that revision was mirrored; its age is time() less this.",
    ),
    files: gauge("files", "Files of that revision."),
    seconds: histogram("sync", "Time to mirror a revision.", SHORT),
    lag: histogram("lag", "From a commit's time to the marker that shows it.", LONG),
    lockWait: histogram("lock_wait", "Time spent waiting for the lock.", LONG),
    operations: counter("operations_total", "Keys created, updated and deleted.", "kind"),
    transactions: counter("transactions_total", "Transactions that mirrored revisions."),
    retries: counter(
      "retries_total",
      "Passes that failed or met another hand's write, up to the next success.",
    ),
    fenced: counter("fenced_writes_total", "Writes refused because the lock was lost."),
  };
  return { emit: (event) => note(instruments, event) };
}

const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
const LONG = [0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 86_400];

interface Instruments {
  readonly revision: Gauge;
  readonly at: Gauge;
  readonly files: Gauge;
  readonly seconds: Histogram;
  readonly lag: Histogram;
  readonly lockWait: Histogram;
  readonly operations: Counter;
  readonly transactions: Counter;
  readonly retries: Counter;
  readonly fenced: Counter;
}

function note(to: Instruments, event: SluiceEvent): void {
  const { environment } = event;
  if (event.type === "mirror.checked") {
    showRevision(to, event, Date.parse(event.since));
    to.files.set({ environment }, event.files);
  } else if (event.type === "mirror.synced") {
    showRevision(to, event, Date.parse(event.at));
    if (event.files !== undefined) to.files.set({ environment }, event.files);
    to.seconds.observe({ environment }, event.ms / 1_000);
    if (event.lagMs !== undefined) to.lag.observe({ environment }, Math.max(0, event.lagMs) / 1_000);
    for (const kind of ["created", "updated", "deleted"] as const)
      to.operations.inc({ environment, kind }, event[kind]);
    to.transactions.inc({ environment }, event.transactions);
    to.retries.inc({ environment }, event.retries ?? 0);
  } else if (event.type === "mirror.fenced") to.fenced.inc({ environment });
  else if (event.type === "leader.elected" && event.role === "mirror")
    to.lockWait.observe({ environment }, (event.waitedMs ?? 0) / 1_000);
}

/** One revision of an environment at a time: the one before it is no longer shown. */
function showRevision(
  { revision, at }: Instruments,
  event: Extract<SluiceEvent, { type: "mirror.synced" | "mirror.checked" }>,
  mirroredAt: number,
): void {
  const { environment } = event;
  if (event.type === "mirror.synced" && event.previous)
    revision.remove({ environment, revision: event.previous });
  revision.set({ environment, revision: event.revision }, 1);
  at.set({ environment }, mirroredAt / 1_000);
}
