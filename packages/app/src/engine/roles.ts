import { SluiceError, suggest } from "@sluice/core";
import type { Config } from "../config/schema.ts";

/** What one engine process can do. The first three are the embedded servers. */
export const ROLES = [
  "consul",
  "marathon",
  "chronos",
  "mirror",
  "deployer",
  "image-updater",
  "build-trigger",
  "registrar",
  "router",
  "notifier",
  "http",
] as const;
export type Role = (typeof ROLES)[number];

/**
 * @param names as a person gave them; none: everything this configuration needs.
 * @throws USAGE for an unknown role, or for an embedded server that the configuration replaces by a real one.
 */
export function chooseRoles(names: readonly string[], config: Config): ReadonlySet<Role> {
  const needed = embeddedNeeds(config);
  if (names.length === 0)
    return new Set<Role>([
      ...needed,
      "mirror",
      "deployer",
      "image-updater",
      ...configuredRoles(config),
      "http",
    ]);
  const chosen = new Set<Role>();
  for (const name of names) {
    const role = ROLES.find((one) => one === name);
    if (!role)
      throw new SluiceError(
        "USAGE",
        `there is no role "${name}"${suggest(name, ROLES)}; roles are ${ROLES.join(", ")}`,
      );
    if (isEmbedded(role) && !needed.has(role))
      throw new SluiceError(
        "USAGE",
        `the configuration names real servers, so there is nothing for an embedded ${role} to do`,
      );
    chosen.add(role);
  }
  return chosen;
}

/** The roles that there is something to do for only where the configuration says so. */
function configuredRoles(config: Config): readonly Role[] {
  return [
    ...(Object.keys(config.builds).length > 0 ? (["build-trigger"] as const) : []),
    ...(config.registrar ? (["registrar"] as const) : []),
    ...(config.router ? (["router"] as const) : []),
    ...(config.notify ? (["notifier"] as const) : []),
  ];
}

/** The embedded servers that stand in for what the configuration does not name. */
export function embeddedNeeds(config: Config): ReadonlySet<Role> {
  const needs = new Set<Role>();
  if (!config.consul) needs.add("consul");
  for (const environment of Object.values(config.environments)) {
    for (const target of Object.values(environment.targets))
      if (!target.addresses && target.type !== "swarm") needs.add(target.type);
  }
  return needs;
}

function isEmbedded(role: Role): boolean {
  return role === "consul" || role === "marathon" || role === "chronos";
}
