import { createHash } from "node:crypto";
import type { ServiceDefinition } from "@sluice/core";
import { checksOf } from "./checks.ts";
import type { Container, ContainerPort } from "./container.ts";
import { commaList, isSaid, type Metadata, metadataOf } from "./metadata.ts";

export interface NamingOptions {
  /** This machine's name, the first part of every id. */
  readonly node: string;
  /** The value of `managed-by` on everything this registrar registers. */
  readonly owner: string;
  /** Where published ports are reached. */
  readonly address: string;
  /** Registers containers at their own address and inner port. */
  readonly internal: boolean;
  /** Registers only what names itself. */
  readonly explicit: boolean;
  /** On every service. */
  readonly tags: readonly string[];
}

export interface ContainerServices {
  readonly services: readonly ServiceDefinition[];
  /** Why something was left out, a sentence each. */
  readonly problems: readonly string[];
}

/** Consul's limits on Meta: https://developer.hashicorp.com/consul/api-docs/agent/service. */
const META = { pairs: 64, key: 128, value: 512 };
const META_KEY = /^[A-Za-z0-9_-]+$/;
export const FINGERPRINT = "sluice-fingerprint";
export const CONTAINER = "container-id";

/** A container that shares another one's network is reached where that one is (`container:<id>`). */
export function onSharedNetwork(container: Container, others: Iterable<Container>): Container {
  const [, shared] = /^container:(.+)$/.exec(container.networkMode) ?? [];
  if (shared === undefined) return container;
  for (const { id, name, networkMode, networks } of others)
    if (id === shared || name === shared) return { ...container, networkMode, networks };
  return container;
}

/** The services a container is to be found as: one for each port, by Registrator's rules. */
export function servicesOf(container: Container, options: NamingOptions): ContainerServices {
  const services: ServiceDefinition[] = [];
  const problems: string[] = [];
  if (!container.running) return { services, problems };
  const wanted = container.ports.filter(({ port }) => !isSaid(metadataOf(container, port).get("ignore")));
  for (const port of wanted) {
    const metadata = metadataOf(container, port.port);
    const place = placeOf(container, port, metadata, options);
    if (!place) continue;
    if ("problem" in place) problems.push(`${container.name}: port ${port.port}: ${place.problem}`);
    else {
      const found = serviceOf(container, port, place, { ...options, several: wanted.length > 1 });
      if ("problem" in found) problems.push(`${container.name}: port ${port.port}: ${found.problem}`);
      else if (found.service) services.push(found.service);
    }
  }
  return { services, problems };
}

type Place = { readonly address: string; readonly port: number };

/** Where the port is reached; undefined: from nowhere outside. */
function placeOf(
  container: Container,
  port: ContainerPort,
  metadata: Metadata,
  { address, internal }: NamingOptions,
): Place | { readonly problem: string } | undefined {
  const forced = metadata.get("address");
  const network = metadata.get("network");
  if (network !== undefined) {
    const found = container.networks.get(network);
    if (found) return { address: forced ?? found, port: port.port };
    const known = [...container.networks.keys()].join(", ") || "none";
    return { problem: `it is not on the network "${network}"; its networks: ${known}` };
  }
  if (container.networkMode === "host") return { address: forced ?? address, port: port.port };
  if (internal) return internalPlace(container, port, forced);
  // The IPv4 binding where there are both: every client can use it.
  const binding = port.bindings.find(({ hostIp }) => !hostIp.includes(":")) ?? port.bindings[0];
  if (!binding) return undefined;
  const any = binding.hostIp === "" || binding.hostIp === "0.0.0.0" || binding.hostIp === "::";
  return { address: forced ?? (any ? address : binding.hostIp), port: binding.hostPort };
}

/** Networks of Docker Swarm's own, on which nobody reaches a container. */
const SWARMS_OWN: ReadonlySet<string> = new Set(["ingress", "docker_gwbridge"]);

/** On several networks there is no right answer unless the container gives one. */
function internalPlace(
  { networks }: Container,
  { port }: ContainerPort,
  forced: string | undefined,
): Place | { readonly problem: string } | undefined {
  const own = [...networks].filter(([name]) => !SWARMS_OWN.has(name));
  const [only, ...more] = own.map(([, address]) => address);
  if (forced !== undefined) return { address: forced, port };
  if (more.length === 0) return only === undefined ? undefined : { address: only, port };
  return {
    problem: `it is on several networks (${own
      .map(([name]) => name)
      .sort()
      .join(", ")}); choose one with the label SERVICE_NETWORK`,
  };
}

function serviceOf(
  container: Container,
  { port, protocol }: ContainerPort,
  place: Place,
  options: NamingOptions & { readonly several: boolean },
): { readonly service: ServiceDefinition | undefined } | { readonly problem: string } {
  const metadata = metadataOf(container, port);
  const said = metadata.get("name");
  if (said === undefined && options.explicit) return { service: undefined };
  const suffix = options.several && !metadata.namedForPort ? `-${port}` : "";
  const name = (said ?? imageName(container.image)) + suffix;
  const ending = protocol === "udp" ? ":udp" : "";
  const id = metadata.get("id") ?? `${options.node}:${container.name}:${port}${ending}`;
  if (hasControls(name) || hasControls(id) || name === "" || id === "")
    return { problem: "its name or id is empty or holds control characters" };
  const meta = metaOf(metadata, container, options);
  if ("problem" in meta) return meta;
  const checked = checksOf(id, place, metadata, container);
  if ("problem" in checked) return checked;
  const tags = [
    ...new Set([...options.tags, ...commaList(metadata.get("tags") ?? ""), ...(ending ? ["udp"] : [])]),
  ].sort();
  const service = { id, name, ...place, tags, meta: meta.meta, checks: checked.checks };
  return { service: { ...service, meta: { ...service.meta, [FINGERPRINT]: fingerprintOf(service) } } };
}

/** What of a definition cannot be read back from Consul is compared by this. */
function fingerprintOf(service: ServiceDefinition): string {
  return createHash("sha256").update(JSON.stringify(service)).digest("hex").slice(0, 16);
}

function metaOf(
  metadata: Metadata,
  { id }: Container,
  { owner }: NamingOptions,
): { readonly meta: Record<string, string> } | { readonly problem: string } {
  const meta: Record<string, string> = {};
  for (const [key, value] of [...metadata.rest].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!META_KEY.test(key) || Buffer.byteLength(key) > META.key)
      return { problem: `SERVICE_${key.toUpperCase()} cannot be a key of Consul's Meta` };
    if (Buffer.byteLength(value) > META.value)
      return {
        problem: `SERVICE_${key.toUpperCase()} is longer than the ${META.value} bytes of Consul's Meta`,
      };
    meta[key] = value;
  }
  if (Object.keys(meta).length > META.pairs - 3)
    return { problem: `it has more than ${META.pairs - 3} keys for Consul's Meta` };
  return { meta: { ...meta, "managed-by": owner, [CONTAINER]: id.slice(0, 12) } };
}

/** `registry:5000/shop/web:1.4.2@sha256:…` → `web`. */
function imageName(image: string): string {
  const last = image.split("@")[0]?.split("/").at(-1) ?? image;
  return last.split(":")[0] ?? last;
}

function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return /[\u0000-\u001f\u007f]/.test(text);
}
