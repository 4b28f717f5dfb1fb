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
  /** Where traffic may go, whether or not there is a route. */
  readonly servers: readonly RoutedServer[];
  /** Ids of those that a person took out, by Consul's maintenance mode. */
  readonly released: readonly string[];
  /** Why something was left out, a sentence each. */
  readonly problems: readonly string[];
}

const NAME = /^(?!sluice-)[A-Za-z0-9][A-Za-z0-9_.-]{0,126}$/;
const HOST =
  /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
/** Without what is a quote, an end or a comment in some balancer's language. */
const PATH = /^\/[A-Za-z0-9._~+,=:@/-]{0,255}$/;
const WORDS = ["lb_host", "lb_path", "lb_port", "lb_mode", "lb_check", "lb_sticky"] as const;

/**
 * What the instances of a service ask for with their Meta: `lb_host` (several, separated by commas), `lb_path`, `lb_port`, `lb_mode`,
 * `lb_check`, `lb_sticky`. Where instances differ, as in the middle of an update, what most of them say as a whole decides, then
 * who says more, then the alphabet. Nothing in a catalog can put anything into a configuration but what these rules let through.
 */
export function routeOf(service: string, instances: readonly ServiceInstance[]): RouteFinding {
  const { servers, problems } = serversOf(service, instances);
  const released = instances.filter(({ status }) => status === "maintenance").map(idOf);
  const left = (problem: string) => ({
    route: undefined,
    servers,
    released,
    problems: [`${service}: ${problem}`],
  });
  if (!NAME.test(service))
    return {
      ...left(""),
      problems: [`the service ${JSON.stringify(service)} has a name that no backend can bear`],
    };
  const said = mostSaid(instances);
  const places = placesOf(said);
  if ("problem" in places) return left(places.problem);
  const { lb_check: check } = said;
  const mode = said.lb_mode ?? "http";
  if (check !== undefined && !PATH.test(check))
    return left(`lb_check ${JSON.stringify(check)} is no plain path`);
  if (mode !== "http" && mode !== "tcp") return left(`lb_mode is http or tcp, not ${JSON.stringify(mode)}`);
  if (mode === "tcp" && places.port === undefined) return left("lb_mode tcp needs lb_port");
  if (places.port === undefined && places.hosts.length === 0 && places.path === undefined)
    return left("it says no lb_host, lb_path or lb_port, so nothing leads to it");
  const sticky = said.lb_sticky === "true";
  const route: Route = { service, name: service, mode, ...places, check, sticky, servers };
  return { route, servers, released, problems };
}

type Said = Readonly<Partial<Record<(typeof WORDS)[number], string>>>;

function placesOf({
  lb_host = "",
  lb_path,
  lb_port,
}: Said): Pick<Route, "hosts" | "path" | "port"> | { readonly problem: string } {
  const named = lb_host.split(",").map((host) => host.trim().toLowerCase());
  const hosts = [...new Set(named.filter(Boolean))];
  const badHost = hosts.find((host) => !HOST.test(host) || host.length > 253);
  if (badHost) return { problem: `lb_host ${JSON.stringify(badHost)} is no host name` };
  if (lb_path !== undefined && !PATH.test(lb_path))
    return { problem: `lb_path ${JSON.stringify(lb_path)} is no plain path` };
  const port = lb_port === undefined ? undefined : portNumber(lb_port);
  if (lb_port !== undefined && port === undefined)
    return { problem: `lb_port ${JSON.stringify(lb_port)} is no port` };
  return { hosts, path: lb_path && (lb_path.replace(/\/+$/, "") || "/"), port };
}

function serversOf(service: string, instances: readonly ServiceInstance[]) {
  const servers: RoutedServer[] = [];
  const problems: string[] = [];
  for (const instance of instances) {
    const { id, port, status, weight } = instance;
    if (status === "critical" || status === "maintenance") continue;
    const address = canonicalAddress(instance.address);
    const usable = address !== undefined && Number.isInteger(port) && port > 0 && port < 65_536;
    const most = Math.min(256, Math.max(1, Math.round(weight) || 1));
    if (usable) servers.push({ id: idOf(instance), address, port, weight: most });
    else problems.push(`${service}: the instance ${JSON.stringify(id)} has no IP address, or no port`);
  }
  return { servers, problems };
}

function idOf({ node, id }: ServiceInstance): string {
  return `${node}/${id}`;
}

/**
 * An IP address in the one form in which a balancer tells it back; undefined: it is none that traffic can be sent to. To
 * HAProxy "any address" means the one that the client asked for.
 */
export function canonicalAddress(text: string): string | undefined {
  const version = isIP(text);
  if (version === 0 || text.includes("%")) return undefined;
  const address = version === 4 ? text : new URL(`http://[${text}]`).hostname.slice(1, -1);
  return address === "0.0.0.0" || address === "::" ? undefined : address;
}

/** What most instances say, silence being said too. */
function mostSaid(instances: readonly ServiceInstance[]): Said {
  const counts = new Map<string, number>();
  for (const { meta } of instances) {
    const words = WORDS.flatMap((word) => (meta[word] ? [[word, meta[word]]] : []));
    const text = JSON.stringify(words);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const [best = ["[]"]] = [...counts].sort(
    ([a, n], [b, m]) => m - n || b.length - a.length || (a < b ? -1 : 1),
  );
  return Object.fromEntries(JSON.parse(best[0]) as [string, string][]);
}

function portNumber(text: string): number | undefined {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number > 0 && number < 65_536 ? number : undefined;
}
