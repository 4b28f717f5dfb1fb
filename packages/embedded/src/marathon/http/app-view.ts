import { healthJson } from "../health/health.ts";
import { AGENT_ID, type App, ROLE, timestamp } from "../model.ts";
import { portsOf } from "../root/service-ports.ts";
import { healthOf, type Instance } from "../tasks/instance.ts";
import type { Api } from "./api.ts";
import { appJson } from "./app-json.ts";

/** What may be shown of an app beside its definition. */
export type Embed = "tasks" | "counts" | "deployments" | "readiness" | "lastTaskFailure" | "taskStats";

const EMBEDS: readonly Embed[] = [
  "tasks",
  "counts",
  "deployments",
  "readiness",
  "lastTaskFailure",
  "taskStats",
];

/** The embeds that a query asks for, with any of Marathon's prefixes; unknown ones are ignored. */
export function embedsOf(query: URLSearchParams): Set<Embed> {
  const asked = new Set<Embed>();
  for (const value of query.getAll("embed")) {
    const name = value.replace(/^(group\.apps|apps|app)\./, "");
    if (name === "failures") asked.add("lastTaskFailure").add("tasks").add("deployments");
    for (const embed of EMBEDS) if (embed === name) asked.add(embed);
    if (name === "tasks") asked.add("deployments");
  }
  return asked;
}

/** An app as the API shows it. */
export function appView(api: Api, app: App, embeds: ReadonlySet<Embed>): Record<string, unknown> {
  const instances = api.fleets.get(app.id)?.instances() ?? [];
  const deployment = api.deployments.of(app.id);
  const failure = embeds.has("lastTaskFailure") ? api.store.failure(app.id) : undefined;
  return {
    ...appJson(api.profile, app),
    ...(embeds.has("counts") && countsOf(instances)),
    ...(embeds.has("deployments") && { deployments: deployment ? [{ id: deployment }] : [] }),
    ...(embeds.has("readiness") && {
      readinessCheckResults: instances.flatMap((one) => one.readiness ?? []),
    }),
    ...(failure && { lastTaskFailure: failure }),
    ...(embeds.has("tasks") && { tasks: instances.map((one) => taskView(api, one)) }),
    ...(embeds.has("taskStats") && { [api.profile.statsKey]: statsOf(app, instances, api.clock.now()) }),
  };
}

/** The four counts of an app's tasks; a task counts as healthy or not only once it has results. */
export function countsOf(instances: readonly Instance[]) {
  const counts = { tasksStaged: 0, tasksRunning: 0, tasksHealthy: 0, tasksUnhealthy: 0 };
  for (const one of instances) {
    if (one.state === "TASK_STAGING" || one.state === "TASK_STARTING") counts.tasksStaged++;
    if (one.state !== "TASK_RUNNING") continue;
    counts.tasksRunning++;
    const healthy = healthOf(one);
    if (healthy === true) counts.tasksHealthy++;
    if (healthy === false) counts.tasksUnhealthy++;
  }
  return counts;
}

/** A task as the API shows it. */
export function taskView(api: Api, instance: Instance): Record<string, unknown> {
  const { app } = instance;
  return {
    ipAddresses: [{ ipAddress: api.host, protocol: "IPv4" }],
    stagedAt: timestamp(instance.stagedAt),
    state: instance.state,
    ports: instance.ports,
    ...(instance.startedAt !== undefined && { startedAt: timestamp(instance.startedAt) }),
    version: app.version,
    id: instance.taskId,
    appId: app.id,
    slaveId: AGENT_ID,
    host: api.host,
    servicePorts: portsOf(app),
    localVolumes: [],
    healthCheckResults: [...instance.health.values()].map((health) => healthJson(health, instance.id)),
    ...(api.profile.role && { role: ROLE }),
  };
}

function statsOf(app: App, instances: readonly Instance[], now: number): Record<string, unknown> {
  const { lastScalingAt, lastConfigChangeAt } = app.versionInfo;
  const version = (one: Instance) => one.app.version;
  return {
    ...statsEntry(
      "startedAfterLastScaling",
      instances.filter((one) => version(one) >= lastScalingAt),
      now,
    ),
    ...statsEntry(
      "withLatestConfig",
      instances.filter((one) => version(one) >= lastConfigChangeAt),
      now,
    ),
    ...statsEntry(
      "withOutdatedConfig",
      instances.filter((one) => version(one) < lastConfigChangeAt),
      now,
    ),
    ...statsEntry("totalSummary", instances, now),
  };
}

function statsEntry(name: string, instances: readonly Instance[], now: number): Record<string, unknown> {
  if (instances.length === 0) return {};
  const { tasksStaged, tasksRunning, tasksHealthy, tasksUnhealthy } = countsOf(instances);
  const ages = instances
    .flatMap((one) => (one.startedAt === undefined ? [] : (now - one.startedAt) / 1000))
    .sort((a, b) => a - b);
  const lifeTime = {
    averageSeconds: ages.reduce((sum, age) => sum + age, 0) / ages.length,
    medianSeconds: ages[Math.floor(ages.length / 2)],
  };
  const counts = {
    staged: tasksStaged,
    running: tasksRunning,
    healthy: tasksHealthy,
    unhealthy: tasksUnhealthy,
  };
  return { [name]: { stats: { counts, ...(ages.length > 0 && { lifeTime }) } } };
}
