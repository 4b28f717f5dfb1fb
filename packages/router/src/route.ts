import { isIP } from "node:net";
import type { ServiceInstance } from "@sluice/core";

/** One instance that traffic may go to. */
export interface RoutedServer {
  /** `<node>/<service id>`: the same instance under the same name, whatever its address. */
  readonly id: string;
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
  /** 1 to 256. */
  readonly weight: number;
}

/** How traffic finds one service. Every text is safe to be put into a configuration file as it is. */
export interface Route {
  /** The service's name in the catalog. */
  readonly service: string;
  /** As above, of `[A-Za-z0-9_.-]` alone. */
  readonly name: string;
  readonly mode: "http" | "tcp";
  /** Host names that lead here; empty: any, if there is a path. */
  readonly hosts: readonly string[];
  /** Paths that begin so lead here. */
  readonly path: string | undefined;
  /** A port of its own on the balancer. */
  readonly port: number | undefined;
  /** The balancer's own check asks for this; undefined: it only connects. */
  readonly check: string | undefined;
  /** A client stays with its server. */
  readonly sticky: boolean;
  readonly servers: readonly RoutedServer[];
}

export interface RouteFinding {
  readonly route: Route | undefined;
  /** Why something was left out, a sentence each. */
  readonly problems: readonly string[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}$/;
const HOST =
  /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const PATH = /^\/[A-Za-z0-9._~!&'()*+,;=:@/-]{0,255}$/;

/**
 * What the instances of a service ask for with their Meta: `lb_host` (several, separated by commas), `lb_path`, `lb_port`, `lb_mode`,
 * `lb_check`, `lb_sticky`. Where instances differ, as in the middle of an update, the most of them decide, then the alphabet.
 * Nothing in a catalog can put anything into a configuration but what these rules let through.
 */
export function routeOf(service: string, instances: readonly ServiceInstance[]): RouteFinding {
  if (!NAME.test(service))
    return left(`the service ${JSON.stringify(service)} has a name that no backend can bear`);
  const said = (key: string) => mostSaid(instances, key);
  const hosts = (said("lb_host") ?? "")
    .split(",")
    .map((host) => host.trim())
    .filter(Boolean);
  const badHost = hosts.find((host) => !HOST.test(host) || host.length > 253);
  if (badHost) return left(`${service}: lb_host ${JSON.stringify(badHost)} is no host name`);
  const path = said("lb_path");
  if (path !== undefined && !PATH.test(path))
    return left(`${service}: lb_path ${JSON.stringify(path)} is no plain path`);
  const check = said("lb_check");
  if (check !== undefined && !PATH.test(check))
    return left(`${service}: lb_check ${JSON.stringify(check)} is no plain path`);
  const mode = said("lb_mode") ?? "http";
  if (mode !== "http" && mode !== "tcp")
    return left(`${service}: lb_mode is http or tcp, not ${JSON.stringify(mode)}`);
  const portText = said("lb_port");
  const port = portText === undefined ? undefined : portNumber(portText);
  if (portText !== undefined && port === undefined)
    return left(`${service}: lb_port ${JSON.stringify(portText)} is no port`);
  if (mode === "tcp" && port === undefined) return left(`${service}: lb_mode tcp needs lb_port`);
  if (mode === "http" && port === undefined && hosts.length === 0 && path === undefined)
    return left(`${service}: it says no lb_host, lb_path or lb_port, so nothing leads to it`);
  const sticky = said("lb_sticky") === "true";
  const { servers, problems } = serversOf(service, instances);
  return { route: { service, name: service, mode, hosts, path, port, check, sticky, servers }, problems };
}

/** Routes that claim the same place: the first by name keeps it. */
export function withoutClashes(routes: readonly Route[]): {
  routes: readonly Route[];
  problems: readonly string[];
} {
  const claims = new Map<string, string>();
  const problems: string[] = [];
  const kept = [...routes]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter((route) => {
      const taken = claimsOf(route).find((claim) => claims.has(claim));
      if (taken !== undefined)
        problems.push(`${route.service}: ${taken} belongs to ${claims.get(taken)} already`);
      else for (const claim of claimsOf(route)) claims.set(claim, route.service);
      return taken === undefined;
    });
  return { routes: kept, problems };
}

function claimsOf({ mode, port, hosts, path }: Route): readonly string[] {
  if (mode === "tcp" || (hosts.length === 0 && path === undefined)) return [`port ${port}`];
  const front = port === undefined ? "" : `port ${port} `;
  const places = hosts.length === 0 ? ["any host"] : hosts.map((host) => `host ${host.toLowerCase()}`);
  return places.map((place) => `${front}${place}${path === undefined ? "" : ` path ${path}`}`);
}

function serversOf(service: string, instances: readonly ServiceInstance[]) {
  const servers: RoutedServer[] = [];
  const problems: string[] = [];
  for (const { node, id, address, port, status, weight } of instances) {
    if (status === "critical" || status === "maintenance") continue;
    const usable = isIP(address) !== 0 && Number.isInteger(port) && port > 0 && port < 65_536;
    if (usable)
      servers.push({ id: `${node}/${id}`, address, port, weight: Math.min(256, Math.max(1, weight)) });
    else problems.push(`${service}: the instance ${JSON.stringify(id)} has no IP address, or no port`);
  }
  return { servers, problems };
}

function mostSaid(instances: readonly ServiceInstance[], key: string): string | undefined {
  const counts = new Map<string, number>();
  for (const { meta } of instances) {
    const value = meta[key];
    if (value !== undefined && value !== "") counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return best?.[0];
}

function portNumber(text: string): number | undefined {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number > 0 && number < 65_536 ? number : undefined;
}

function left(problem: string): RouteFinding {
  return { route: undefined, problems: [problem] };
}
