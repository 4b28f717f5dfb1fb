import type { BuildRecord, BuildTarget, CiServer } from "@sluice/build-trigger";
import type { BuildConfig } from "../config/builds-schema.ts";
import { milliseconds, readSecret } from "./environment.ts";
import type { Look } from "./look.ts";
import { lockOptions, type ServiceOptions } from "./service-options.ts";

/** The CI of an app; its secrets are read anew for each request. */
export async function openCi({ ci }: BuildConfig): Promise<CiServer> {
  const { httpEndpoint, jenkins } = await import("@sluice/build-trigger");
  const { ca, cert, key } = ci;
  const tls = { ca, cert, key };
  if (ci.type === "http") return httpEndpoint({ url: ci.url, secret: () => readSecret(ci.secretFile), tls });
  const { url, job, username, tokenFile, passwordFile, parameters } = ci;
  const file = tokenFile ?? passwordFile ?? "";
  const kind = tokenFile ? ("api-token" as const) : ("password" as const);
  return jenkins({ url, job, parameters, tls, auth: { username, kind, secret: () => readSecret(file) } });
}

/** The role `build-trigger`. */
export async function runBuildTrigger(options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const { buildTrigger } = await import("@sluice/build-trigger");
  const { config, kv, clock, random, shared: events } = options;
  const apps = new Map<string, BuildTarget>();
  for (const [app, one] of Object.entries(config.builds))
    apps.set(app, { ci: await openCi(one), timeoutMs: milliseconds(one.timeout) });
  const { prefix } = config;
  await buildTrigger({
    kv,
    prefix,
    apps,
    clock,
    random,
    events,
    lock: lockOptions(options),
    looked: (app, builds) => options.looked(buildsLook(app, builds)),
  }).run(signal);
}

function buildsLook(app: string, builds: readonly BuildRecord[]): Look {
  const states: Record<string, number> = {};
  for (const { state } of builds) states[state] = (states[state] ?? 0) + 1;
  const open = builds.filter(({ finishedAt }) => finishedAt === undefined);
  const oldestOpen = open.map(({ requestedAt }) => Date.parse(requestedAt)).sort((a, b) => a - b)[0];
  return { service: "build-trigger", app, states, oldestOpen };
}
