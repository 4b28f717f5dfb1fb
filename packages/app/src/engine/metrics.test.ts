import {
  type CommitId,
  type DeploymentStatus,
  EVERY_ENVIRONMENT,
  type EventBody,
  encodeRecord,
  envName,
  type JobKey,
  type JobStatus,
  type Revision,
  type SluiceEvent,
  type TargetName,
} from "@sluice/core";
import { manualClock, memoryKv } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { configSchema } from "../config/schema.ts";
import { environmentsOf } from "./environment.ts";
import type { Look } from "./look.ts";
import { metrics } from "./metrics.ts";

const REVISION = `main@sha1:${"a".repeat(40)}` as Revision;

/** Metrics of ours, but the count of events, after all of this. */
async function lines(given: {
  events?: EventBody[];
  looks?: Look[];
  environment?: string;
}): Promise<string[]> {
  const all = metrics(() => 60_000);
  const environment = given.environment ? envName(given.environment) : EVERY_ENVIRONMENT;
  for (const look of given.looks ?? []) all.looked(look);
  for (const body of given.events ?? [])
    all.sink.emit({ ...body, environment, at: "2026-01-01T00:00:00.000Z" } as SluiceEvent);
  return ours(await all.text());
}

function ours(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => /^sluice_(build|image|registrar|router|deployment|job|target)/.test(line))
    .filter((line) => !/_bucket/.test(line) && !line.endsWith(" 0"));
}

const build = {
  id: "1",
  app: "shop",
  commit: "c".repeat(40) as CommitId,
  ref: "refs/heads/main",
  message: "",
};

it("builds are counted by state, with the age of the oldest that is open", async () => {
  expect(
    await lines({
      looks: [
        { service: "build-trigger", app: "shop", states: { running: 2, failed: 1 }, oldestOpen: 5_000 },
      ],
      events: [
        { type: "build.waiting", app: "shop", id: "1", code: "CI_UNREACHABLE", message: "" },
        { type: "build.finished", ...build, state: "succeeded", ms: 1_500 },
        { type: "build.waiting", app: "web", id: "2", code: "CI_UNREACHABLE", message: "" },
      ],
    }),
  ).toEqual([
    'sluice_builds{app="shop",state="running"} 2',
    'sluice_builds{app="shop",state="failed"} 1',
    'sluice_builds_oldest_open_timestamp_seconds{app="shop"} 5',
    'sluice_builds_finished_total{app="shop",state="succeeded"} 1',
    'sluice_build_seconds_sum{app="shop"} 1.5',
    'sluice_build_seconds_count{app="shop"} 1',
    'sluice_builds_waiting{app="web"} 1',
  ]);
});

it("builds and images that another process looks after are not counted here any more", async () => {
  const looks: Look[] = [
    { service: "build-trigger", app: "shop", states: { running: 2 }, oldestOpen: 5_000 },
    { service: "image-updater", environment: "*", announced: 3 },
  ];
  const events: EventBody[] = [
    { type: "leader.lost", role: "build-trigger" },
    { type: "leader.lost", role: "image-updater" },
  ];
  expect(await lines({ looks, events })).toEqual([]);
});

it("image versions are counted as seen, committed, refused and held", async () => {
  const change = { image: "web", from: "1", to: "2", places: 1 };
  expect(
    await lines({
      environment: "shop",
      looks: [{ service: "image-updater", environment: "shop", announced: 3 }],
      events: [
        { type: "image.committed", commit: build.commit, changes: [change, { ...change, image: "api" }] },
        { type: "image.refused", image: "web", why: "" },
        { type: "image.held", image: "web", version: "3" },
      ],
    }),
  ).toEqual([
    'sluice_images_announced{environment="shop"} 3',
    'sluice_image_commits_total{environment="shop"} 1',
    'sluice_images_committed_total{environment="shop"} 2',
    'sluice_images_refused_total{environment="shop"} 1',
    'sluice_images_held_total{environment="shop"} 1',
  ]);
});

it("the registrar tells its services, what it changed, and when it looked last", async () => {
  expect(
    await lines({
      looks: [{ service: "registrar", node: "host-1", services: 4 }],
      events: [
        { type: "registrar.changed", node: "host-1", registered: 3, deregistered: 2, reported: 1 },
        { type: "registrar.left-out", node: "host-1", message: "" },
        { type: "registrar.failed", node: "host-1", code: "ENGINE_UNREACHABLE", message: "" },
      ],
    }),
  ).toEqual([
    'sluice_registrar_services{node="host-1"} 4',
    'sluice_registrar_last_look_timestamp_seconds{node="host-1"} 60',
    'sluice_registrar_changes_total{node="host-1",kind="registered"} 3',
    'sluice_registrar_changes_total{node="host-1",kind="deregistered"} 2',
    'sluice_registrar_changes_total{node="host-1",kind="reported"} 1',
    'sluice_registrar_left_out_total{node="host-1"} 1',
    'sluice_registrar_failing{node="host-1"} 1',
  ]);
});

it("the router tells its servers, its reloads, what it holds and what it leaves out", async () => {
  expect(
    await lines({
      looks: [{ service: "router", services: 2, servers: 5, held: 1, leftOut: 3 }],
      events: [
        { type: "router.changed", services: 2, servers: 5, reloaded: true, ms: 250 },
        { type: "router.rolled-back", message: "" },
        { type: "router.failed", code: "BALANCER_FAILED", message: "" },
      ],
    }),
  ).toEqual([
    "sluice_router_services 2",
    "sluice_router_servers 5",
    "sluice_router_held_servers 1",
    "sluice_router_left_out 3",
    "sluice_router_last_look_timestamp_seconds 60",
    'sluice_router_change_seconds_sum{reloaded="true"} 0.25',
    'sluice_router_change_seconds_count{reloaded="true"} 1',
    "sluice_router_rollbacks_total 1",
    "sluice_router_failing 1",
  ]);
});

it("the deployer tells its last deployment, its writes with their cause, and targets that are away", async () => {
  const counts = { jobs: 3, healthy: 2, progressing: 0, failed: 1, created: 0, updated: 0, pruned: 0 };
  const status = { state: "degraded", counts } as unknown as DeploymentStatus;
  const key = "apps/web" as JobKey;
  expect(
    await lines({
      environment: "shop",
      events: [
        { type: "deployment.finished", revision: REVISION, status, ms: 2_000 },
        { type: "job.applied", key, revision: REVISION, kind: "update", cause: "drift" },
        { type: "job.pruned", key, revision: REVISION },
        { type: "target.failed", target: "cron" as TargetName, code: "", message: "" },
      ],
    }),
  ).toEqual([
    'sluice_deployment_seconds_sum{environment="shop",state="degraded"} 2',
    'sluice_deployment_seconds_count{environment="shop",state="degraded"} 1',
    'sluice_deployment_last_seconds{environment="shop"} 2',
    'sluice_deployment_last_finished_timestamp_seconds{environment="shop"} 1767225600',
    'sluice_jobs{environment="shop",state="healthy"} 2',
    'sluice_jobs{environment="shop",state="failed"} 1',
    'sluice_job_writes_total{environment="shop",kind="update",cause="drift"} 1',
    'sluice_jobs_pruned_total{environment="shop"} 1',
    'sluice_target_failing{environment="shop",target="cron"} 1',
  ]);
});

it("how jobs stand is read from the KV at each scrape, and what cannot be read has no numbers", async () => {
  const kv = memoryKv();
  const clock = manualClock();
  const config = configSchema.parse({ environments: { shop: { targets: { apps: { type: "marathon" } } } } });
  const environments = environmentsOf(config, { consul: "", marathon: "", chronos: "" }, clock, () => 0.5);
  const put = (id: string, more: Partial<JobStatus>) => {
    const key = `apps/${id}` as JobKey;
    const status = {
      key,
      file: "",
      sync: "Synced",
      health: "Healthy",
      reason: "Applied",
      message: "",
      since: "",
    };
    kv.set(`sluice/shop/status/apps/${id}`, encodeRecord({ ...status, ...more } as JobStatus));
  };
  put("web", {});
  put("api", {});
  put("old", { sync: "OutOfSync", health: "Degraded", reason: "HeldAfterFailure" });
  kv.set("sluice/shop/status/apps/broken", Buffer.from("{"));
  const all = metrics();
  expect(ours(await all.text({ kv, environments, clock }))).toEqual([
    'sluice_job_health{environment="shop",target="apps",health="Healthy"} 2',
    'sluice_job_health{environment="shop",target="apps",health="Degraded"} 1',
    'sluice_job_sync{environment="shop",target="apps",sync="Synced"} 2',
    'sluice_job_sync{environment="shop",target="apps",sync="OutOfSync"} 1',
    'sluice_job_reason{environment="shop",target="apps",reason="Applied"} 2',
    'sluice_job_reason{environment="shop",target="apps",reason="HeldAfterFailure"} 1',
  ]);
  kv.fault = () => "KV_UNREACHABLE";
  await clock.advance(6_000);
  expect(ours(await all.text({ kv, environments, clock }))).toEqual([
    'sluice_job_status_unreadable{environment="shop"} 1',
  ]);
});
