import { type ConsulCatalog, consulCatalog } from "@sluice/consul";
import type { ServiceOptions } from "./service-options.ts";

/** The service catalog of the Consul that is configured, or of another agent of its cluster. */
export function openCatalog(
  { config, embedded, clock, random }: ServiceOptions,
  agent?: string | undefined,
): ConsulCatalog {
  const { address = embedded.consul, ...access } = config.consul ?? {};
  return consulCatalog({ clock, random, ...definedOf(access), address: agent ?? address });
}

function definedOf<T extends object>(settings: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
