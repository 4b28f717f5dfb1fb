import { AGENT_ID, type App, type PodContainer, timestamp } from "../model.ts";
import { podJson } from "../pod/pod-app.ts";
import { healthOf, type Instance } from "../tasks/instance.ts";
import type { Api } from "./api.ts";

type InstanceStatus = "STAGING" | "STABLE" | "DEGRADED" | "TERMINAL";

/** How a pod and its instances are, as the API shows it. */
export function podStatus(api: Api, app: App): Record<string, unknown> {
  const instances = api.fleets.get(app.id)?.instances() ?? [];
  const stable = instances.filter((one) => statusOf(one) === "STABLE").length;
  return {
    id: app.id,
    spec: podJson(app),
    status: stable >= app.instances ? "STABLE" : "DEGRADED",
    statusSince: timestamp(Math.max(Date.parse(app.version), ...instances.map(since))),
    instances: instances.map((one) => instanceStatus(api, one)),
    terminationHistory: [],
    lastUpdated: timestamp(api.clock.now()),
    lastChanged: timestamp(Math.max(Date.parse(app.version), ...instances.map(since))),
  };
}

/** One instance of a pod as the API shows it. */
export function instanceStatus(api: Api, instance: Instance): Record<string, unknown> {
  const { app } = instance;
  const changed = timestamp(since(instance));
  const ports = [...instance.ports];
  return {
    id: instance.id,
    status: statusOf(instance),
    statusSince: changed,
    conditions: [],
    agentHostname: api.host,
    agentId: AGENT_ID,
    resources: { cpus: app.cpus, mem: app.mem, disk: app.disk, gpus: app.gpus },
    networks: [],
    containers: (app.pod?.containers ?? []).map((one) => containerStatus(api, instance, one, ports)),
    specReference: `/v2/pods${app.id}::versions/${app.version}`,
    localVolumes: [],
    ...(api.profile.role && { role: app.pod?.role }),
    lastUpdated: timestamp(api.clock.now()),
    lastChanged: changed,
  };
}

/** @param ports the instance's ports that the containers before have left. */
function containerStatus(api: Api, instance: Instance, container: PodContainer, ports: number[]) {
  const changed = timestamp(since(instance));
  const healthy = container.healthCheck === undefined ? undefined : healthOf(instance);
  return {
    name: container.name,
    status: instance.state,
    statusSince: changed,
    conditions: [],
    containerId: podTaskId(instance, container.name, api.profile.incarnations),
    endpoints: (container.endpoints ?? []).map((endpoint) => ({
      name: endpoint.name,
      ...(endpoint.hostPort !== undefined && { allocatedHostPort: ports.shift() }),
      ...(healthy !== undefined && { healthy }),
    })),
    resources: container.resources,
    lastUpdated: timestamp(api.clock.now()),
    lastChanged: changed,
  };
}

/** The id of one container of an instance. */
function podTaskId(instance: Instance, name: string, incarnations: boolean): string {
  return incarnations ? `${instance.id}.${name}.${instance.incarnation}` : `${instance.id}.${name}`;
}

function statusOf(instance: Instance): InstanceStatus {
  if (instance.state === "TASK_STAGING" || instance.state === "TASK_STARTING") return "STAGING";
  if (instance.state !== "TASK_RUNNING") return "TERMINAL";
  return !instance.app.healthChecks || healthOf(instance) === true ? "STABLE" : "DEGRADED";
}

function since(instance: Instance): number {
  return instance.startedAt ?? instance.stagedAt;
}
