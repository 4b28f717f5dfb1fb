import type { Route } from "./route.ts";

export interface ClashOptions {
  /** Which service has a place by now, by the place. */
  readonly holders: ReadonlyMap<string, string>;
  /** Ports that are the balancer's own. */
  readonly reserved: ReadonlySet<number>;
}

export interface WithoutClashes {
  readonly routes: readonly Route[];
  readonly problems: readonly string[];
  readonly holders: ReadonlyMap<string, string>;
}

/** Of routes that claim the same place the one that has it keeps it, so that nobody can take it over; else the first by name. */
export function withoutClashes(
  routes: readonly Route[],
  { holders, reserved }: ClashOptions,
): WithoutClashes {
  const claims = new Map<string, string>();
  const problems: string[] = [];
  const holds = (route: Route) => placesOf(route).every((place) => holders.get(place) === route.service);
  const inOrder = [...routes].sort(
    (a, b) => Number(holds(b)) - Number(holds(a)) || (a.name < b.name ? -1 : 1),
  );
  const kept = inOrder.filter((route) => {
    const own = route.port !== undefined && reserved.has(route.port);
    const taken = own ? `port ${route.port}` : takenPlace(route, claims);
    if (taken === undefined) for (const place of placesOf(route)) claims.set(place, route.service);
    else {
      const owner = own ? "the load balancer itself" : `${claims.get(taken)} already`;
      problems.push(`${route.service}: ${taken} belongs to ${owner}`);
    }
    return taken === undefined;
  });
  const byName = kept.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { routes: byName, problems: problems.sort(), holders: claims };
}

function takenPlace(route: Route, claims: ReadonlyMap<string, string>): string | undefined {
  const taken = placesOf(route).find((place) => claims.has(place));
  if (taken !== undefined || route.port === undefined) return taken;
  const whole = `port ${route.port}`;
  if (claims.has(whole)) return whole;
  return route.mode === "tcp" ? [...claims.keys()].find((place) => place.startsWith(`${whole} `)) : undefined;
}

/** TCP takes a port whole; HTTP shares one by hosts and paths. */
export function placesOf({
  mode,
  port,
  hosts,
  path,
}: Pick<Route, "mode" | "port" | "hosts" | "path">): readonly string[] {
  if (mode === "tcp") return [`port ${port}`];
  const front = port === undefined ? "" : `port ${port} `;
  const places = hosts.length === 0 ? ["any host"] : hosts.map((host) => `host ${host}`);
  return places.map(
    (place) => `${front}${place}${path === undefined || path === "/" ? "" : ` path ${path}`}`,
  );
}
