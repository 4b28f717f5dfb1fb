import {
  type DeploymentStatus,
  type EventBody,
  encodeRecord,
  envName,
  type JobKey,
  type JobStatus,
  kvLayout,
  type Revision,
  type SluiceEvent,
} from "@sluice/core";
import { manualClock, memoryKv, recordingSink } from "@sluice/core/testing";
import type { Channel, Delivery } from "../channels/channel.ts";
import type { Notice } from "../notice/notice.ts";
import { type NotifierOptions, notifier } from "../notifier.ts";
import type { Route } from "../routing/routes.ts";
import { NOW } from "./notices.ts";

/** A channel that remembers what it took and answers as it is told. */
export interface TestChannel extends Channel {
  readonly taken: Notice[];
  answer: (notice: Notice) => Delivery | Promise<Delivery>;
}

export function testChannel(): TestChannel {
  const channel: TestChannel = {
    taken: [],
    answer: () => ({ kind: "sent" }),
    async post(notice) {
      const delivery = await channel.answer(notice);
      if (delivery.kind === "sent") channel.taken.push(notice);
      return delivery;
    },
  };
  return channel;
}

export const PRODUCTION = { name: envName("production"), layout: kvLayout("sluice", envName("production")) };

/** An environment's keys, which a test writes as mirror and deployer would, and notifiers that follow them. */
export function world() {
  const kv = memoryKv();
  const clock = manualClock(NOW);
  const sink = recordingSink();
  const logs = new Map<string, { seq: number; event: SluiceEvent }[]>();
  const { layout } = PRODUCTION;

  function write(key: string, event: SluiceEvent, kept: number) {
    const log = logs.get(key) ?? [];
    log.push({ seq: (log.at(-1)?.seq ?? 0) + 1, event });
    logs.set(key, log);
    kv.set(key, JSON.stringify(log.slice(-kept)));
  }
  const stamped = (event: EventBody, environment = "production") =>
    ({ ...event, environment, at: new Date(clock.now()).toISOString() }) as SluiceEvent;

  return {
    ...{ kv, clock, sink },
    /** Puts an event into the log it belongs to. */
    happens(event: EventBody, kept = 64) {
      const role = event.type.startsWith("mirror.") ? "mirror" : "deployer";
      write(`${layout.events}/${role}`, stamped(event), kept);
    },
    happensAnywhere: (event: EventBody) => write("sluice/notices/events/engine", stamped(event, "*"), 256),
    /** Lets what happened be seen, then lets time pass. */
    async passes(ms: number) {
      for (let turn = 0; turn < 5; turn++) await clock.advance(0);
      await clock.advance(ms);
    },
    status: (status: JobStatus) => kv.set(layout.status(status.key), encodeRecord(status)),
    deployment: (status: DeploymentStatus) => kv.set(layout.deployment, encodeRecord(status)),
    /** Starts a notifier; what it returns stops it as a crash would: whatever it was at is left. */
    start(channels: Readonly<Record<string, Channel>>, more: Partial<NotifierOptions> = {}) {
      const stop = new AbortController();
      const routes: readonly Route[] = [{ to: Object.keys(channels) }];
      const running = notifier({
        ...{ kv, prefix: "sluice", clock, random: () => 0.5, events: sink, routes },
        environments: () => [PRODUCTION],
        channels: Object.entries(channels).map(([name, channel]) => ({ name, channel, perMinute: 600 })),
        lock: { ttlMs: 15_000, lockDelayMs: 0, holder: "test" },
        ...{ gatherMs: 10_000, repeatMs: 300_000, giveUpMs: 86_400_000 },
        ...more,
      }).run(stop.signal);
      return async () => {
        stop.abort();
        await running;
      };
    },
  };
}

export type World = ReturnType<typeof world>;

export function statusOf(key: string, more: Partial<JobStatus> = {}): JobStatus {
  return {
    ...{
      key: key as JobKey,
      file: undefined,
      sync: "Synced",
      health: "Healthy",
      reason: "Applied",
      message: "",
    },
    ...{ attempted: undefined, applied: undefined, failed: undefined, since: "2026-01-01T00:00:00.000Z" },
    ...more,
  } as JobStatus;
}

export function failedStatus(key: string, revision: Revision, more: Partial<JobStatus> = {}): JobStatus {
  const message = "not healthy within 5m";
  return statusOf(key, {
    health: "Degraded",
    reason: "HealthTimeout",
    message,
    attempted: revision,
    ...more,
  });
}

export function changed(status: JobStatus): EventBody {
  return { type: "job.changed", key: status.key, status, previous: undefined, ms: undefined };
}

export function deploymentOf(attempted: Revision, more: Partial<DeploymentStatus> = {}): DeploymentStatus {
  return {
    ...{
      attempted,
      applied: undefined,
      state: "healthy",
      reason: "Applied",
      message: "all 1 jobs are healthy",
    },
    counts: { jobs: 1, healthy: 1, progressing: 0, failed: 0, created: 0, updated: 1, pruned: 0 },
    startedAt: new Date(NOW).toISOString(),
    finishedAt: new Date(NOW + 3_000).toISOString(),
    ...more,
  };
}

export function finished(status: DeploymentStatus): EventBody {
  return { type: "deployment.finished", revision: status.attempted, status, ms: 3_000 };
}
