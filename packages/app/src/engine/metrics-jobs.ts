import { type Clock, decodeRecord, isSluiceError, type JobStatus, type Kv, type KvEntry } from "@sluice/core";
import type { Registry } from "prom-client";
import type { Environment } from "./environment.ts";
import { instruments } from "./metrics-instruments.ts";

/** Where the jobs of all environments are found, whichever process deploys them. */
export interface JobSource {
  readonly kv: Kv;
  /** Changes in place where branches come and go. */
  readonly environments: readonly Environment[];
  readonly clock: Clock;
}

export interface JobMetrics {
  /**
   * Reads how the jobs stand, unless it was read a moment ago. An environment that cannot be read has no numbers, rather than
   * old ones; nothing is thrown for it.
   */
  read(source: JobSource): Promise<void>;
}

/** Several scrapers are one read. */
const FRESH_MS = 5_000;

export function jobMetrics(registry: Registry): JobMetrics {
  const { gauge } = instruments(registry, "job_");
  const health = gauge("health", "Jobs by health, as the KV says.", "environment", "target", "health");
  const sync = gauge("sync", "Jobs by sync status, as the KV says.", "environment", "target", "sync");
  const reason = gauge(
    "reason",
    "Jobs by the reason of their status, such as Drifted or HeldAfterFailure, as the KV says.",
    "environment",
    "target",
    "reason",
  );
  const unread = gauge(
    "status_unreadable",
    "1 where an environment's jobs cannot be read now.",
    "environment",
  );
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function readAll({ kv, environments }: JobSource): Promise<void> {
    const deployed = environments.filter(({ deploys }) => deploys);
    const found = await Promise.all(
      deployed.map(async ({ name, layout }) => ({
        environment: name,
        entries: await kv.list(layout.statuses).catch(() => undefined),
      })),
    );
    for (const one of [health, sync, reason, unread]) one.reset();
    for (const { environment, entries } of found) {
      unread.set({ environment }, entries ? 0 : 1);
      for (const status of (entries ?? []).flatMap(readable)) {
        const target = status.key.split("/", 1)[0] ?? "";
        health.inc({ environment, target, health: status.health });
        sync.inc({ environment, target, sync: status.sync });
        reason.inc({ environment, target, reason: status.reason });
      }
    }
  }

  return {
    async read(source) {
      if (source.clock.now() - readAt < FRESH_MS) return;
      reading ??= readAll(source).finally(() => {
        readAt = source.clock.now();
        reading = undefined;
      });
      await reading;
    },
  };
}

/** A record somebody wrote over by hand is shown by `sluice status`. */
function readable(entry: KvEntry): readonly JobStatus[] {
  try {
    return [decodeRecord("status", entry)];
  } catch (error) {
    if (isSluiceError(error, "KV_RECORD_INVALID")) return [];
    throw error;
  }
}
