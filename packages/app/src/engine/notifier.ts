import { readFileSync } from "node:fs";
import { type Clock, type EnvName, isSluiceError } from "@sluice/core";
import type { Channel, RecorderOptions, Route } from "@sluice/notifier";
import { apiOf, type ChannelConfig, type NotifyConfig } from "../config/notifier-schema.ts";
import { supervisor } from "./branches/supervisor.ts";
import { type Environment, milliseconds, readSecret } from "./environment.ts";
import { openNotes } from "./repository.ts";
import { lockOptions, type ServiceOptions } from "./service-options.ts";

/** The role `notifier`: messages, and the record in Git. */
export async function runNotifier(options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const { config, kv, clock, random, shared: events } = options;
  const settings = config.notify ?? DEFAULTS;
  const { notifier } = await import("@sluice/notifier");
  const channels = await Promise.all(
    Object.entries(settings.channels).map(async ([name, one]) => ({
      name,
      channel: await channelOf(one, settings, options),
      perMinute: one.perMinute,
    })),
  );
  const service = notifier({
    ...{ kv, prefix: config.prefix, channels, clock, random, events },
    environments: () => environmentsOf(options),
    routes: routesOf(settings),
    lock: lockOptions(options),
    gatherMs: milliseconds(settings.gather),
    repeatMs: milliseconds(settings.repeat),
    giveUpMs: milliseconds(settings.giveUp),
  });
  const messages = channels.length > 0 ? [service.run(signal)] : [];
  await Promise.all([...messages, recordAll(settings, options, signal)]);
}

const DEFAULTS: NotifyConfig = {
  ...{ channels: {}, routes: undefined, url: undefined },
  ...{ gather: "10s", repeat: "5m", giveUp: "24h", notes: "local" },
};

/** Those of the configuration and those of branches. */
function environmentsOf({ branches, environments }: ServiceOptions): readonly Environment[] {
  return branches?.all ?? environments;
}

function routesOf({ channels, routes }: NotifyConfig): readonly Route[] {
  return routes ?? [{ to: Object.keys(channels) }];
}

async function channelOf(
  one: ChannelConfig,
  settings: NotifyConfig,
  { config, clock }: ServiceOptions,
): Promise<Channel> {
  const made = await import("@sluice/notifier");
  if (one.type === "mail") return made.mail(mailOptions(one, clock));
  if (one.type === "webhook") {
    const { url, secretFile } = one;
    const secret = secretFile === undefined ? undefined : () => readSecret(secretFile);
    return made.webhook({ url, secret, source: `/${config.prefix}`, clock });
  }
  if (one.type === "commit-status") {
    const { host, repository, tokenFile, username, context } = one;
    const token = () => readSecret(tokenFile);
    return made.commitStatus({
      ...{ host, repository, username, context, token, clock },
      ...{ api: apiOf(one), url: settings.url },
    });
  }
  return made[one.type]({ url: () => readSecret(one.urlFile), clock });
}

function mailOptions(one: Extract<ChannelConfig, { type: "mail" }>, clock: Clock) {
  const { host, port, tls, ca, username, passwordFile, from, to } = one;
  const auth =
    username === undefined || passwordFile === undefined
      ? undefined
      : { user: username, password: () => readSecret(passwordFile) };
  return { host, port, tls, auth, from, to, clock, ...(ca ? { ca: readFileSync(ca, "utf8") } : {}) };
}

/** One recorder for each environment, as environments of branches come and go. */
async function recordAll(
  { notes }: NotifyConfig,
  options: ServiceOptions,
  signal: AbortSignal,
): Promise<void> {
  const { branches, environments, clock, random } = options;
  const { recorder } = await import("@sluice/notifier");
  const wanted = (one: Environment) => one.deploys && (notes === "all" || (notes === "local" && one.local));
  const recorders = supervisor({
    ...{ clock, random },
    run: (environment, until) => recorder(recorderOptions(environment, options)).run(until),
    failed: (environment, error) => tellFailure(environment.name, error, options),
  });
  const follow = (ofBranches: readonly Environment[]) =>
    recorders.set([...environments, ...ofBranches].filter(wanted));
  follow([]);
  branches?.follow((ofBranches) => {
    if (!signal.aborted) follow(ofBranches);
  });
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await recorders.close();
}

/** What came within this time is one commit of the notes. */
const BATCH_MS = 2_000;

function recorderOptions(environment: Environment, options: ServiceOptions): RecorderOptions {
  const { config, kv, clock, random, shared: events } = options;
  return {
    ...{ kv, environment, clock, random, events, prefix: config.prefix },
    openNotes: () => openNotes(environment, options),
    lock: lockOptions(options),
    batchMs: BATCH_MS,
  };
}

function tellFailure(environment: EnvName, error: unknown, { shared, clock }: ServiceOptions): void {
  const code = isSluiceError(error) ? error.code : "INTERNAL";
  const message = error instanceof Error ? error.message : String(error);
  shared.emit({
    ...{ type: "record.failed", environment, code, message },
    at: new Date(clock.now()).toISOString(),
  });
}
