import { createHash } from "node:crypto";
import { messageOf, SluiceError } from "@sluice/core";
import { Liquid, type Template } from "liquidjs";
import { frontsOf } from "./fronts.ts";
import type { Route } from "./route.ts";
import type { Slot } from "./slots.ts";

/** A route with the places of its servers. */
export interface Backend {
  readonly route: Omit<Route, "servers">;
  readonly slots: readonly Slot[];
}

/** A configuration file, and what stays the same of it while servers only come and go. */
export interface Rendered {
  readonly text: string;
  /** 16 hex digits; two files of the same one differ in nothing but what stands in the slots. */
  readonly structure: string;
}

export interface Renderer {
  /** @throws TEMPLATE_INVALID */
  render(backends: readonly Backend[]): Rendered;
}

const BLANK = { address: "127.0.0.1", port: 1, weight: 1, enabled: false };
const LIMITS = { parseLimit: 1_000_000, renderLimit: 10_000, memoryLimit: 500_000_000 };

/**
 * Templates are Liquid (https://liquidjs.com): they compute nothing but text and reach no file. They are given `config` (this
 * file's structure), `settings` as configured, `routes`, by name: each `name`, `service`, `mode`, `hosts`, `path`, `port`, `check`,
 * `sticky` and `slots`: each `name`, `address`, `port`, `weight`, `enabled`; and `fronts`, as `frontsOf` tells.
 *
 * @param source the template's text. @param settings words for the template alone.
 * @throws TEMPLATE_INVALID, with the line.
 */
export function renderer(source: string, settings: Readonly<Record<string, unknown>>): Renderer {
  const liquid = new Liquid({
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    ownPropertyOnly: true,
    root: [],
    templates: {},
    ...LIMITS,
  });
  const parsed = guarded(() => liquid.parse(source));
  const text = (backends: readonly Backend[], config: string, blank: boolean): string =>
    guarded(() => {
      const routes = backends.map((backend) => viewOf(backend, blank));
      const fronts = frontsOf(backends.map(({ route }) => route));
      return liquid.renderSync(parsed as Template[], { config, settings, routes, fronts }) as string;
    });
  return {
    render(backends) {
      const sorted = [...backends].sort((a, b) => (a.route.name < b.route.name ? -1 : 1));
      const structure = createHash("sha256")
        .update(text(sorted, "", true))
        .digest("hex")
        .slice(0, 16);
      return { text: text(sorted, structure, false), structure };
    },
  };
}

function viewOf({ route, slots }: Backend, blank: boolean): object {
  return {
    ...route,
    path: route.path ?? null,
    port: route.port ?? null,
    check: route.check ?? null,
    slots: slots.map(({ name, server, draining }) =>
      blank || !server
        ? { name, ...BLANK }
        : {
            name,
            address: server.address.includes(":") ? `[${server.address}]` : server.address,
            port: server.port,
            weight: server.weight,
            enabled: !draining,
          },
    ),
  };
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    // Not as a cause: it holds the whole template many times over.
    throw new SluiceError("TEMPLATE_INVALID", `the router's template: ${messageOf(error)}`);
  }
}
