import { readFileSync } from "node:fs";
import { SluiceError } from "@sluice/core";
import type { Balancer } from "@sluice/router";
import { openCatalog } from "./catalog.ts";
import { milliseconds } from "./environment.ts";
import type { ServiceOptions } from "./service-options.ts";

/** The role `router`. */
export async function runRouter(options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const { config, clock, random, shared: events } = options;
  const settings = config.router;
  if (!settings) throw new SluiceError("CONFIG_INVALID", "the role router needs `router` in sluice.yaml");
  const { builtInTemplate, commands, haproxy, router } = await import("@sluice/router");
  const { balancer: kind, templateFile, configFile: file, tag, services, mostRemoved } = settings;
  const balancer: Balancer =
    kind.type === "haproxy"
      ? haproxy({ program: kind.program, master: kind.masterSocket, runtime: kind.runtimeSocket, clock })
      : commands(kind);
  const catalog = openCatalog(options);
  try {
    await router({
      looked: (found) => options.looked({ service: "router", ...found }),
      catalog,
      balancer,
      file,
      template: templateFile ? readTemplate(templateFile) : builtInTemplate("haproxy"),
      settings: { ...settings.settings, ...(kind.type === "haproxy" ? { runtime: kind.runtimeSocket } : {}) },
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
