import { absolutePath } from "../ids.ts";
import {
  type App,
  type AppPatch,
  type Container,
  type HealthCheck,
  type Network,
  type PortDefinition,
  type PortMapping,
  ROLE,
  type UpgradeStrategy,
} from "../model.ts";
import type { Profile } from "../profiles.ts";

/** An app but for what the server alone decides. */
export type Spec = Omit<App, "version" | "versionInfo">;

/** Keys that GET leaves out when they are empty. */
const OMITTED_WHEN_EMPTY = [
  "args",
  "constraints",
  "dependencies",
  "env",
  "fetch",
  "healthChecks",
  "readinessChecks",
  "secrets",
] as const;

/** Fills in every default, so that the result is what GET shows; ports still to be assigned stay 0. */
export function complete(id: string, patch: AppPatch, profile: Profile): Spec {
  const networks: Network[] = patch.networks?.length ? patch.networks.map(withMode) : [{ mode: "host" }];
  const isHost = networks.some((network) => network.mode === "host");
  const container = completeContainer(patch.container, networks);
  const hasPorts = Boolean(patch.portDefinitions?.length || container?.portMappings?.length);
  const dependencies = patch.dependencies?.map((one) => absolutePath(one, parentOf(id)));
  const { container: _, portDefinitions: __, ...rest } = patch;
  const spec: Spec = {
    ...defaults(patch, profile),
    ...rest,
    id,
    networks,
    requirePorts: isHost && (patch.requirePorts ?? false),
    ...(isHost && { portDefinitions: patch.portDefinitions ?? defaultDefinitions() }),
    ...(container && { container }),
    ...(dependencies && { dependencies }),
    ...(patch.healthChecks && {
      healthChecks: patch.healthChecks.map((one) => withPortIndex(one, hasPorts)),
    }),
  };
  for (const key of OMITTED_WHEN_EMPTY) if (isEmpty(spec[key])) delete spec[key];
  return spec;
}

function defaults(patch: AppPatch, profile: Profile) {
  const resident = hasVolume(patch, "persistent");
  return {
    instances: 1,
    cpus: 1,
    mem: 128,
    disk: 0,
    gpus: 0,
    executor: "",
    labels: {},
    backoffSeconds: 1,
    backoffFactor: 1.15,
    maxLaunchDelaySeconds: profile.maxLaunchDelaySeconds,
    upgradeStrategy: upgradeStrategyOf(patch),
    killSelection: "YOUNGEST_FIRST" as const,
    unreachableStrategy: resident
      ? ("disabled" as const)
      : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    ...(profile.role && { role: ROLE }),
    ...(resident && {
      residency: { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: "WAIT_FOREVER" },
    }),
  };
}

function upgradeStrategyOf(patch: AppPatch): UpgradeStrategy {
  if (patch.labels?.MARATHON_SINGLE_INSTANCE_APP === "true")
    return { minimumHealthCapacity: 0, maximumOverCapacity: 0 };
  if (hasVolume(patch, "persistent") || hasVolume(patch, "external"))
    return { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 };
  return { minimumHealthCapacity: 1, maximumOverCapacity: 1 };
}

/** Whether tasks of an app are bound to volumes that outlive them. */
export function isResident(app: AppPatch): boolean {
  return hasVolume(app, "persistent");
}

function hasVolume(patch: AppPatch, kind: "persistent" | "external"): boolean {
  return patch.container?.volumes.some((volume) => volume[kind] !== undefined) ?? false;
}

function completeContainer(given: Container | undefined, networks: Network[]): Container | undefined {
  if (networks.some((network) => network.mode === "host")) {
    if (!given) return undefined;
    const { portMappings: _, ...hosted } = given;
    return hosted;
  }
  const container: Container = given ?? { type: "MESOS", volumes: [] };
  const bridged = networks.some((network) => network.mode === "container/bridge");
  const mappings = container.portMappings ?? [defaultMapping()];
  return { ...container, portMappings: bridged ? mappings.map(withHostPort) : mappings };
}

function withMode(network: Network): Network {
  return network.mode === "container" ? { ...network, labels: network.labels ?? {} } : network;
}

function withHostPort(mapping: PortMapping): PortMapping {
  return { ...mapping, hostPort: mapping.hostPort ?? 0 };
}

function defaultMapping(): PortMapping {
  return { containerPort: 0, servicePort: 0, protocol: "tcp", name: "default", labels: {} };
}

function defaultDefinitions(): PortDefinition[] {
  return [{ port: 0, name: "default", protocol: "tcp" }];
}

/** Marathon fills in `portIndex` 0 only where the client declared ports. */
function withPortIndex(check: HealthCheck, hasPorts: boolean): HealthCheck {
  const needsOne =
    hasPorts && check.protocol !== "COMMAND" && check.port === undefined && check.portIndex === undefined;
  return needsOne ? { ...check, portIndex: 0 } : check;
}

function isEmpty(value: object | undefined): boolean {
  return value === undefined || Object.keys(value).length === 0;
}

function parentOf(id: string): string {
  return id.slice(0, id.lastIndexOf("/")) || "/";
}
