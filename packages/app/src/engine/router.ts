import { readFileSync } from "node:fs";
import { type Clock, SluiceError } from "@sluice/core";
import type { Balancer } from "@sluice/router";
import type { RouterConfig } from "../config/router-schema.ts";
import { openCatalog } from "./catalog.ts";
import { milliseconds } from "./environment.ts";
import type { ServiceOptions } from "./service-options.ts";

/** What a router of this configuration works with. @throws CONFIG_INVALID */
export async function routerParts({ balancer: kind, templateFile, settings }: RouterConfig, clock: Clock) {
  const { builtInTemplate, commands, haproxy } = await import("@sluice/router");
  const balancer: Balancer =
    kind.type === "haproxy"
      ? haproxy({ program: kind.program, master: kind.masterSocket, runtime: kind.runtimeSocket, clock })
      : commands(kind);
  return {
    balancer,
    template: templateFile ? readTemplate(templateFile) : builtInTemplate("haproxy"),
    settings: { ...settings, ...(kind.type === "haproxy" ? { runtime: kind.runtimeSocket } : {}) },
  };
}

/** The role `router`. */
export async function runRouter(options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const { config, clock, random, shared: events } = options;
  const settings = config.router;
  if (!settings) throw new SluiceError("CONFIG_INVALID", "the role router needs `router` in sluice.yaml");
  const { router } = await import("@sluice/router");
  const { configFile: file, tag, services, mostRemoved } = settings;
  const parts = await routerParts(settings, clock);
  const catalog = openCatalog(options);
  try {
    await router({
      ...parts,
      looked: (found) => options.looked({ service: "router", ...found }),
      catalog,
      file,
      tag,
      services,
      mostRemoved,
      timing: {
        holdMs: milliseconds(settings.hold),
        holdEmptyMs: milliseconds(settings.holdEmpty),
        drainMs: milliseconds(settings.drain),
        reloadMs: milliseconds(settings.reloadInterval),
      },
      events,
      clock,
      random,
    }).run(signal);
  } finally {
    catalog.close();
  }
}

/** @throws CONFIG_INVALID */
function readTemplate(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SluiceError("CONFIG_INVALID", `router.templateFile: ${file} cannot be read`, { cause });
  }
}
