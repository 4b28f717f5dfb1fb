import type { Spec } from "../app/complete.ts";
import { absolutePath, isPathSpelling } from "../ids.ts";
import { type App, type HealthCheck, type PodContainer, type PodEndpoint, ROLE } from "../model.ts";
import type { Profile } from "../profiles.ts";
import { notValid, type Violation } from "../refusal.ts";
import type { SentPod } from "./pod-shape.ts";

/** How a container's health is checked: exactly one of the three. */
export interface PodHealthCheck {
  http?: { endpoint: string; path?: string; scheme?: string };
  tcp?: { endpoint: string };
  exec?: { command: { shell: string } | { argv: string[] } };
  gracePeriodSeconds: number;
  intervalSeconds: number;
  maxConsecutiveFailures: number;
  timeoutSeconds: number;
  delaySeconds: number;
}

/** The run spec that carries a pod through plans, deployments and fleets. @throws Refusal "Object is not valid". */
export function podSpec(sent: SentPod, profile: Profile): Spec {
  const { id: given, version: _, scaling, ...pod } = withNetworks(sent);
  const id = absolutePath(given);
  checkPod(id, pod.containers, profile);
  const { backoff, killSelection, placement } = pod.scheduling;
  const isBound = (pod.volumes ?? []).some((volume) => volume.persistent !== undefined);
  const upgrade = pod.scheduling.upgrade ?? upgradeOf(isBound);
  const unreachableStrategy = pod.scheduling.unreachableStrategy ?? unreachableOf(isBound);
  const total = (kind: "cpus" | "mem" | "disk" | "gpus", own: number) =>
    pod.containers.reduce((sum, one) => sum + one.resources[kind], own);
  const healthChecks = pod.containers.flatMap((one) => checkOf(one, endpointsOf(pod.containers)));
  return {
    id,
    instances: scaling.instances,
    cpus: total("cpus", pod.executorResources.cpus),
    mem: total("mem", pod.executorResources.mem),
    disk: total("disk", pod.executorResources.disk),
    gpus: total("gpus", 0),
    executor: "",
    labels: pod.labels,
    networks: [{ mode: "host" }],
    requirePorts: false,
    constraints: constraintsOf(placement),
    ...(healthChecks.length > 0 && { healthChecks }),
    backoffSeconds: backoff.backoff,
    backoffFactor: backoff.backoffFactor,
    maxLaunchDelaySeconds: backoff.maxLaunchDelay,
    upgradeStrategy: upgrade,
    killSelection,
    unreachableStrategy,
    pod: {
      ...pod,
      scheduling: { ...pod.scheduling, upgrade, unreachableStrategy },
      ...(profile.role && { role: ROLE }),
    },
  };
}

/** A pod as the API shows it. */
export function podJson(app: App): Record<string, unknown> {
  return {
    id: app.id,
    ...app.pod,
    scaling: { kind: "fixed", instances: app.instances },
    version: app.version,
  };
}

/** The endpoints of a pod that take a port of the host, in the order of an instance's `ports`. */
export function endpointsOf(containers: readonly PodContainer[]): PodEndpoint[] {
  return containers.flatMap((one) => one.endpoints ?? []).filter((one) => one.hostPort !== undefined);
}

/** Host networking and bridges need a port of the host for every endpoint: one that is not named is any. */
function withNetworks(pod: SentPod): SentPod {
  const networks = pod.networks?.length ? pod.networks : [{ mode: "host" }];
  const isMapped = networks.some(({ mode }) => mode !== "container");
  const containers = pod.containers.map((one) => ({
    ...one,
    ...(one.endpoints && {
      endpoints: one.endpoints.map((endpoint) =>
        isMapped ? { ...endpoint, hostPort: endpoint.hostPort ?? 0 } : endpoint,
      ),
    }),
  }));
  return { ...pod, networks, containers };
}

function upgradeOf(isBound: boolean) {
  return { minimumHealthCapacity: isBound ? 0.5 : 1, maximumOverCapacity: isBound ? 0 : 1 };
}

function unreachableOf(isBound: boolean) {
  return isBound ? ("disabled" as const) : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 };
}

function constraintsOf({ constraints }: Record<string, unknown>): string[][] {
  const list = constraints as { fieldName: string; operator: string; value?: string }[];
  return list.map(({ fieldName, operator, value }) =>
    value === undefined ? [fieldName, operator] : [fieldName, operator, value],
  );
}

function checkOf({ healthCheck }: PodContainer, endpoints: readonly PodEndpoint[]): HealthCheck[] {
  const check = healthCheck as PodHealthCheck | undefined;
  if (!check) return [];
  const { http, tcp, exec, ...times } = check;
  const { endpoint } = http ?? tcp ?? {};
  const portIndex = endpoints.findIndex((one) => one.name === endpoint);
  const { command } = exec ?? {};
  return [
    {
      ...times,
      protocol: http ? (http.scheme ?? "HTTP") : tcp ? "TCP" : "COMMAND",
      ...(http?.path !== undefined && { path: http.path }),
      ...(command && { command: { value: "shell" in command ? command.shell : command.argv.join(" ") } }),
      ...(portIndex >= 0 && { portIndex }),
      ipProtocol: "IPv4",
    },
  ];
}

function checkPod(id: string, containers: readonly PodContainer[], profile: Profile): void {
  const found: Violation[] = [];
  const last = id.slice(id.lastIndexOf("/") + 1);
  if (id === "/" || !isPathSpelling(id)) found.push({ path: "/id", errors: ["must not be root"] });
  if (profile.reservedIds.includes(last))
    found.push({
      path: "/id",
      errors: [`must not end with any of the following reserved keywords: ${profile.reservedIds.join(", ")}`],
    });
  if (hasTwice(containers.map((one) => one.name)))
    found.push({ path: "/containers", errors: ["container names must be unique"] });
  const endpoints = containers.flatMap((one) => one.endpoints ?? []);
  if (hasTwice(endpoints.map((one) => one.name)))
    found.push({ path: "/containers", errors: ["Endpoint names are unique across all containers"] });
  if (hasTwice(endpoints.flatMap((one) => one.hostPort || [])))
    found.push({ path: "/containers", errors: ["Host ports must be unique across all containers"] });
  for (const [index, one] of containers.entries()) found.push(...healthViolations(one, index));
  if (found.length > 0) throw notValid(found);
}

function healthViolations({ healthCheck, endpoints = [] }: PodContainer, index: number): Violation[] {
  const check = healthCheck as PodHealthCheck | undefined;
  if (!check) return [];
  const path = `/containers(${index})/healthCheck`;
  const found: Violation[] = [];
  if ([check.http, check.tcp, check.exec].filter((one) => one !== undefined).length !== 1)
    found.push({ path, errors: ["must specify exactly one health check"] });
  const { endpoint } = check.http ?? check.tcp ?? {};
  if (endpoint !== undefined && !endpoints.some((one) => one.name === endpoint))
    found.push({ path: `${path}/endpoint`, errors: ["contained value not found"] });
  if (check.timeoutSeconds >= check.intervalSeconds)
    found.push({ path, errors: ["timeoutSeconds must be less than intervalSeconds"] });
  return found;
}

function hasTwice(values: readonly (string | number)[]): boolean {
  return new Set(values).size < values.length;
}
