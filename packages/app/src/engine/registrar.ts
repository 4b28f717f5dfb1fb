import { hostname, networkInterfaces } from "node:os";
import { consulCatalog } from "@sluice/consul";
import { SluiceError } from "@sluice/core";
import { milliseconds } from "./environment.ts";
import type { ServiceOptions } from "./services.ts";

/** The role `registrar`. */
export async function runRegistrar(options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const { config, clock, random, shared: events, embedded } = options;
  const settings = config.registrar;
  if (!settings)
    throw new SluiceError("CONFIG_INVALID", "the role registrar needs `registrar` in sluice.yaml");
  const { dockerEngine, registrar } = await import("@sluice/registrar");
  const { docker, ca, cert, key, internal, explicit, tags, interval, deregisterOnStop } = settings;
  const node = settings.node ?? hostname();
  const address = settings.address ?? firstAddress();
  const { address: server = embedded.consul, ...access } = config.consul ?? {};
  const catalog = consulCatalog({ clock, random, ...definedOf(access), address: settings.agent ?? server });
  try {
    await registrar({
      node,
      owner: `${config.prefix}:${node}`,
      address,
      internal,
      explicit,
      tags,
      deregisterOnStop,
      intervalMs: milliseconds(interval),
      engine: dockerEngine({ address: docker, ca, cert, key, clock, random }),
      catalog,
      events,
      clock,
      random,
    }).run(signal);
  } finally {
    catalog.close();
  }
}

function definedOf<T extends object>(settings: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** @throws CONFIG_INVALID where this machine has none. */
function firstAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const found = all.find(({ family, internal }) => family === "IPv4" && !internal);
  if (found) return found.address;
  throw new SluiceError("CONFIG_INVALID", "this machine has no address but loopback; set registrar.address");
}
