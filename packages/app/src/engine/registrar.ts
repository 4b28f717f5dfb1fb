import { hostname, networkInterfaces } from "node:os";
import { SluiceError } from "@sluice/core";
import { openCatalog } from "./catalog.ts";
import { milliseconds } from "./environment.ts";
import type { ServiceOptions } from "./service-options.ts";

/** The role `registrar`. */
export async function runRegistrar(options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const { config, clock, random, shared: events } = options;
  const settings = config.registrar;
  if (!settings)
    throw new SluiceError("CONFIG_INVALID", "the role registrar needs `registrar` in sluice.yaml");
  const { dockerEngine, registrar } = await import("@sluice/registrar");
  const { docker, ca, cert, key, internal, explicit, tags, interval, deregisterOnStop } = settings;
  const node = settings.node ?? hostname();
  const address = settings.address ?? firstAddress();
  const catalog = openCatalog(options, settings.agent);
  try {
    await registrar({
      looked: (services) => options.looked({ service: "registrar", node, services }),
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

/** @throws CONFIG_INVALID where this machine has none. */
function firstAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const found = all.find(({ family, internal }) => family === "IPv4" && !internal);
  if (found) return found.address;
  throw new SluiceError("CONFIG_INVALID", "this machine has no address but loopback; set registrar.address");
}
