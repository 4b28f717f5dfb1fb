import type { Spec } from "../app/complete.ts";
import type { App, Container, HealthCheck, PortMapping } from "../model.ts";
import type { Profile } from "../profiles.ts";

/** An app, with its versions or before it has any. */
export type ShownApp = Spec & Partial<Pick<App, "version" | "versionInfo">>;

/** An app's definition as GET of a version shows it. */
export function appJson(profile: Profile, app: ShownApp): object {
  if (profile.unknownFields.length === 0) return app;
  const shown: Record<string, unknown> = profile.legacyShape ? legacyApp(app) : { ...app };
  for (const field of profile.unknownFields) delete shown[field];
  if (app.healthChecks)
    shown.healthChecks = app.healthChecks.map((check) => checkJson(check, profile.unknownCheckFields));
  return shown;
}

function checkJson(check: HealthCheck, unknown: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(check).filter(([key]) => !unknown.includes(key)));
}

/** What 1.4 shows, unset fields included. */
const UNSET = {
  cmd: null,
  args: null,
  user: null,
  env: {},
  constraints: [],
  fetch: [],
  storeUrls: [],
  healthChecks: [],
  readinessChecks: [],
  dependencies: [],
  ipAddress: null,
  container: null,
  residency: null,
  secrets: {},
  taskKillGracePeriodSeconds: null,
  acceptedResourceRoles: null,
};

const DOCKER_NETWORKS = { host: "HOST", container: "USER", "container/bridge": "BRIDGE" };

/** The form before 1.5, in which networking was spread over `ipAddress`, `ports` and the Docker container. */
function legacyApp(app: ShownApp): Record<string, unknown> {
  const { networks: _, container, portDefinitions, ...rest } = app;
  const mode = app.networks[0]?.mode ?? "host";
  const mappings = container?.portMappings ?? [];
  const ports = portDefinitions?.map((one) => one.port) ?? mappings.map((one) => one.servicePort ?? 0);
  const definitions = portDefinitions ?? mappings.map(definitionOf);
  const onNetwork = mode === "container";
  return {
    ...UNSET,
    ...rest,
    uris: (app.fetch ?? []).map((one) => one.uri),
    ...(container && { container: legacyContainer(container, DOCKER_NETWORKS[mode]) }),
    ...(onNetwork
      ? { ipAddress: ipAddressOf(app) }
      : { ports, portDefinitions: definitions.map((one) => ({ labels: {}, ...one })) }),
  };
}

function definitionOf({ servicePort = 0, protocol, name, labels }: PortMapping) {
  return { port: servicePort, protocol, ...(name && { name }), labels };
}

function legacyContainer(container: Container, network: string): Record<string, unknown> {
  const { portMappings, docker, ...rest } = container;
  if (!docker) return { ...rest, docker: null };
  const mappings = network === "HOST" ? null : (portMappings ?? []).map((one) => ({ hostPort: 0, ...one }));
  return { ...rest, docker: { ...docker, network, portMappings: mappings } };
}

function ipAddressOf({ networks }: ShownApp): Record<string, unknown> {
  const [{ name, labels = {} } = {}] = networks;
  return { groups: [], labels, discovery: { ports: [] }, ...(name && { networkName: name }) };
}
