import type { Route } from "./route.ts";

/** One way to a backend. */
export interface Rule {
  readonly backend: string;
  /** Null: any host. */
  readonly host: string | null;
  /** True: every host that ends with a dot and `host`. */
  readonly wildcard: boolean;
  /** Null: any path; else this one and everything below it, a whole word a step: `/api` is not `/apix`. */
  readonly path: string | null;
}

/** What one host leads to, for balancers that choose by host first. */
export interface HostView {
  /** `shop.example.org`, `*.example.org`; null: any other. */
  readonly host: string | null;
  /** The longest path first. */
  readonly locations: readonly { readonly path: string | null; readonly backend: string }[];
}

/** A port on which the balancer listens. */
export interface Front {
  /** Null: the port for everything that asks for none of its own. */
  readonly port: number | null;
  readonly mode: "http" | "tcp";
  /** All there is to a port of mode tcp. */
  readonly backend: string | null;
  /** The first that fits wins: exact hosts, then wildcards, the longest first, then any host; of each the longest path first. */
  readonly rules: readonly Rule[];
  /** The same, host by host. */
  readonly hosts: readonly HostView[];
}

type FrontRoute = Omit<Route, "servers">;

/** The balancer's ports with what they lead to, the common one first, then by number. */
export function frontsOf(routes: readonly FrontRoute[]): readonly Front[] {
  const byPort = new Map<number | null, FrontRoute[]>([[null, []]]);
  for (const route of routes) {
    const port = route.port ?? null;
    byPort.set(port, [...(byPort.get(port) ?? []), route]);
  }
  return [...byPort].sort(([a], [b]) => (a ?? 0) - (b ?? 0)).map(([port, some]) => frontOf(port, some));
}

function frontOf(port: number | null, routes: readonly FrontRoute[]): Front {
  const tcp = routes.find(({ mode }) => mode === "tcp");
  if (tcp) return { port, mode: "tcp", backend: tcp.name, rules: [], hosts: [] };
  const rules = routes.flatMap(rulesOf).sort(mostSpecific);
  const hosts = [...new Set([...rules.map(spelling), null])];
  return {
    port,
    mode: "http",
    backend: null,
    rules,
    hosts: hosts.map((host) => ({ host, locations: locationsOf(host, rules) })),
  };
}

function rulesOf({ name, hosts, path }: FrontRoute): readonly Rule[] {
  const below = path === undefined || path === "/" ? null : path;
  if (hosts.length === 0) return [{ backend: name, host: null, wildcard: false, path: below }];
  return hosts.map((host) => {
    const wildcard = host.startsWith("*.");
    return { backend: name, host: wildcard ? host.slice(2) : host, wildcard, path: below };
  });
}

function mostSpecific(a: Rule, b: Rule): number {
  return (
    rankOf(b) - rankOf(a) ||
    (a.wildcard ? (b.host?.length ?? 0) - (a.host?.length ?? 0) : 0) ||
    compare(a.host ?? "", b.host ?? "") ||
    (b.path?.length ?? 0) - (a.path?.length ?? 0) ||
    compare(a.path ?? "", b.path ?? "")
  );
}

function rankOf({ host, wildcard }: Rule): number {
  return host === null ? 0 : wildcard ? 1 : 2;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function spelling({ host, wildcard }: Rule): string | null {
  return host !== null && wildcard ? `*.${host}` : host;
}

/** Everything that fits a host, as the order of the rules has it. */
function locationsOf(host: string | null, rules: readonly Rule[]): HostView["locations"] {
  const found = new Map<string | null, string>();
  for (const rule of rules)
    if (covers(rule, host) && !found.has(rule.path)) found.set(rule.path, rule.backend);
  return [...found]
    .map(([path, backend]) => ({ path, backend }))
    .sort((a, b) => (b.path?.length ?? 0) - (a.path?.length ?? 0) || compare(a.path ?? "", b.path ?? ""));
}

function covers(rule: Rule, host: string | null): boolean {
  if (rule.host === null) return true;
  if (host === null) return false;
  return rule.wildcard ? host.endsWith(`.${rule.host}`) : host === rule.host;
}
