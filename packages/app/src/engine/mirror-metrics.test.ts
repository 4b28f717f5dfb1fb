import { type EnvName, type EventBody, envName, type Revision, type SluiceEvent } from "@sluice/core";
import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { mirrorMetrics } from "./mirror-metrics.ts";

const FIRST = `main@sha1:${"a".repeat(40)}` as Revision;
const SECOND = `main@sha1:${"b".repeat(40)}` as Revision;

function event(body: EventBody): SluiceEvent {
  return { ...body, environment: envName("shop") as EnvName, at: "2026-01-01T00:01:00.000Z" } as SluiceEvent;
}

async function after(...bodies: EventBody[]): Promise<string[]> {
  const registry = new Registry();
  const sink = mirrorMetrics(registry);
  for (const body of bodies) sink.emit(event(body));
  const lines = (await registry.metrics()).split("\n");
  return lines.filter((line) => !line.startsWith("#") && !line.includes("_bucket") && line !== "");
}

const synced = {
  type: "mirror.synced",
  revision: SECOND,
  previous: FIRST,
  files: 12,
  created: 2,
  updated: 3,
  deleted: 1,
  transactions: 1,
  ms: 20,
  lagMs: 1_500,
  retries: 2,
} as const;

it("shows the revision that is mirrored and no other, since when, what it took, and how late it came", async () => {
  const checked = {
    type: "mirror.checked",
    revision: FIRST,
    files: 11,
    since: "2026-01-01T00:00:00.000Z",
    ms: 9,
  };
  expect(await after(checked as EventBody, synced)).toEqual([
    `sluice_mirror_revision_info{environment="shop",revision="${SECOND}"} 1`,
    'sluice_mirror_last_synced_timestamp_seconds{environment="shop"} 1767225660',
    'sluice_mirror_files{environment="shop"} 12',
    'sluice_mirror_sync_seconds_sum{environment="shop"} 0.02',
    'sluice_mirror_sync_seconds_count{environment="shop"} 1',
    'sluice_mirror_lag_seconds_sum{environment="shop"} 1.5',
    'sluice_mirror_lag_seconds_count{environment="shop"} 1',
    'sluice_mirror_operations_total{environment="shop",kind="created"} 2',
    'sluice_mirror_operations_total{environment="shop",kind="updated"} 3',
    'sluice_mirror_operations_total{environment="shop",kind="deleted"} 1',
    'sluice_mirror_transactions_total{environment="shop"} 1',
    'sluice_mirror_retries_total{environment="shop"} 2',
  ]);
});

it("counts refused writes and the wait for the lock, the deployer's apart", async () => {
  const events: EventBody[] = [
    { type: "leader.elected", role: "mirror", waitedMs: 250 },
    { type: "leader.elected", role: "deployer" },
    { type: "mirror.fenced" },
  ];
  expect(await after(...events)).toEqual([
    'sluice_mirror_lock_wait_seconds_sum{environment="shop"} 0.25',
    'sluice_mirror_lock_wait_seconds_count{environment="shop"} 1',
    'sluice_mirror_fenced_writes_total{environment="shop"} 1',
  ]);
});
