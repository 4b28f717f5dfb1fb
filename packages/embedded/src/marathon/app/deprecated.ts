import type { AppPatch, Container, Fetch, Network, PortDefinition } from "../model.ts";
import { notValid, type Violation } from "../refusal.ts";
import type { SentApp } from "./app-shape.ts";

const ARCHIVE = /\.(tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz|zip)$/;

const DOCKER_NETWORKS: Record<string, Network["mode"] | undefined> = {
  HOST: "host",
  BRIDGE: "container/bridge",
  USER: "container",
};

const conflicts: [message: string, path: string, broken: (app: SentApp) => boolean][] = [
  ["may not be set in conjunction with fetch", "/uris", (app) => isFilled(app.uris) && isFilled(app.fetch)],
  [
    "must not specify both container.docker.network and networks",
    "/",
    (app) => app.container?.docker?.network !== undefined && isFilled(app.networks),
  ],
  [
    "must not specify both networks and ipAddress",
    "/",
    (app) => app.ipAddress !== undefined && isFilled(app.networks),
  ],
  ["ports must be unique", "/", (app) => hasDuplicates((app.ports ?? []).filter((port) => port !== 0))],
  [
    "cannot specify both an IP address and port",
    "/",
    (app) => app.ipAddress !== undefined && (isFilled(app.ports) || isFilled(app.portDefinitions)),
  ],
  [
    "cannot specify both ports and port definitions",
    "/",
    (app) =>
      app.ports !== undefined &&
      app.portDefinitions !== undefined &&
      String(app.ports) !== String(app.portDefinitions.map((one) => one.port)),
  ],
];

/**
 * Translates fields of Marathon before 1.5 (`uris`, `ports`, `ipAddress`, `container.docker.network` and
 * `.portMappings`) into the canonical ones. @throws Refusal when old and new forms are mixed.
 */
export function canonical(sent: SentApp): AppPatch {
  const violations: Violation[] = conflicts
    .filter(([, , broken]) => broken(sent))
    .map(([message, path]) => ({ path, errors: [message] }));
  if (violations.length > 0) throw notValid(violations);

  const { uris, ports, ipAddress, version: _, ...patch } = sent;
  const networks = networksOf(sent);
  const container = containerOf(sent);
  const portDefinitions = sent.portDefinitions ?? ports?.map(bareDefinition);
  return {
    ...patch,
    ...(isFilled(uris) && { fetch: uris.map(fetchOf) }),
    ...(networks && { networks }),
    ...(container && { container }),
    ...(portDefinitions && { portDefinitions }),
  };
}

function networksOf({ networks, container, ipAddress }: SentApp): Network[] | undefined {
  if (isFilled(networks)) return networks;
  const mode = DOCKER_NETWORKS[container?.docker?.network ?? ""];
  if (mode !== "host" && ipAddress) {
    const { networkName, labels } = ipAddress;
    return [{ mode: "container", ...(networkName && { name: networkName }), ...(labels && { labels }) }];
  }
  return mode ? [{ mode }] : networks;
}

function containerOf({ container, ipAddress }: SentApp): Container | undefined {
  if (!container) return ipAddress ? { type: "MESOS", volumes: [] } : undefined;
  if (!container.docker) return container;
  const { network: _, portMappings, ...docker } = container.docker;
  const mappings = container.portMappings ?? portMappings;
  return { ...container, docker, ...(mappings && { portMappings: mappings }) };
}

function fetchOf(uri: string): Fetch {
  return { uri, extract: ARCHIVE.test(uri), executable: false, cache: false };
}

function bareDefinition(port: number): PortDefinition {
  return { port, protocol: "tcp" };
}

function isFilled<Item>(list: readonly Item[] | undefined): list is readonly Item[] & Item[] {
  return list !== undefined && list.length > 0;
}

function hasDuplicates(ports: number[]): boolean {
  return new Set(ports).size < ports.length;
}
