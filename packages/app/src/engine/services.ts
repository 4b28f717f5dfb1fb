import { setMaxListeners } from "node:events";
import {
  EVERY_ENVIRONMENT,
  emitterFor,
  isSluiceError,
  messageOf,
  missingRules,
  SluiceError,
} from "@sluice/core";
import type { LiveEnvironments } from "./branches/live.ts";
import { type Environment, milliseconds } from "./environment.ts";
import { eventLog } from "./event-log.ts";
import { rememberLock } from "./held-lock.ts";
import { hasImages, runImageUpdater } from "./image-updater.ts";
import { noticeLog } from "./notice-log.ts";
import { sharedKeys } from "./presented-source.ts";
import { lockOptions, type ServiceOptions } from "./service-options.ts";
import { fanOut, only } from "./sinks.ts";
import { WIDE_SERVICES } from "./wide-services.ts";

/** Starts the loops of environments and of what looks after their branches; the promise rejects when one ends although nobody stopped it. */
export function runServices(given: ServiceOptions): Promise<never> {
  const { closing, roles, environments } = given;
  const notices = given.config.notify && noticesOf(given);
  const options = notices ? { ...given, shared: fanOut([given.shared, notices]) } : given;
  const stopping = new AbortController();
  // Every service listens; Node takes more than ten listeners for a leak.
  setMaxListeners(0, stopping.signal);
  const running: Promise<void>[] = [];
  const failed = new Promise<never>((_, reject) => {
    const watchOver = (name: string, work: Promise<void>) => {
      running.push(
        work.catch((error: unknown) => {
          if (!stopping.signal.aborted)
            reject(new SluiceError("INTERNAL", `${name} ended: ${messageOf(error)}`, { cause: error }));
        }),
      );
    };
    for (const { role, run } of WIDE_SERVICES)
      if (roles.has(role)) watchOver(`the ${role}`, run(options, stopping.signal));
    for (const environment of environments) {
      if (roles.has("mirror"))
        watchOver(`the mirror of ${environment.name}`, runMirror(environment, options, stopping.signal));
      if (roles.has("deployer") && environment.deploys)
        watchOver(`the deployer of ${environment.name}`, runDeployer(environment, options, stopping.signal));
      if (roles.has("image-updater") && hasImages(environment))
        watchOver(
          `the image updater of ${environment.name}`,
          runImageUpdater(environment, { ...options, lock: lockOptions(options) }, stopping.signal),
        );
    }
  });
  failed.catch(() => undefined);
  if (options.branches) running.push(runBranches(options.branches, options, stopping.signal));
  closing.add("services", async () => {
    stopping.abort();
    await Promise.all(running);
    await notices?.close();
  });
  return failed;
}

/** What no environment's log holds is written down for the notifier, in whichever process it works. */
function noticesOf({ config, kv, clock, random, shared }: ServiceOptions) {
  const emit = emitterFor(EVERY_ENVIRONMENT, shared, clock);
  const onError = (error: unknown) => {
    const code = isSluiceError(error) ? error.code : "INTERNAL";
    emit({ type: "notices.failed", code, message: messageOf(error) });
  };
  return noticeLog({ kv, prefix: config.prefix, clock, random, onError });
}

async function runBranches(
  live: LiveEnvironments,
  options: ServiceOptions,
  signal: AbortSignal,
): Promise<void> {
  const { branchServices } = await import("./branches/services.ts");
  await branchServices(
    {
      ...options,
      live,
      lock: lockOptions(options),
      runMirror: (environment, until) => runMirror(environment, options, until),
      runDeployer: (environment, until) => runDeployer(environment, options, until),
    },
    signal,
  );
}

async function runMirror(
  environment: Environment,
  options: ServiceOptions,
  signal: AbortSignal,
): Promise<void> {
  const [{ mirror }, source] = await Promise.all([import("@sluice/mirror"), environment.openSource()]);
  const { kv, log } = kvWithLog(environment, "mirror", options);
  const service = mirror({
    ...shared(environment, options),
    kv,
    source,
    events: fanOut([options.shared, only(["mirror."], log)]),
    intervalMs: milliseconds(environment.config.source.interval),
    maxFileBytes: options.config.limits.maxFileBytes,
    ...sharedKeys(environment.config),
  });
  await service.run(signal).finally(() => source.close());
  await log.flush();
}

async function runDeployer(
  environment: Environment,
  options: ServiceOptions,
  signal: AbortSignal,
): Promise<void> {
  const { kv, log } = kvWithLog(environment, "deployer", options);
  const [{ deployer }, { deployerTargets }] = await Promise.all([
    import("@sluice/deployer"),
    import("./targets.ts"),
  ]);
  const service = deployer({
    ...shared(environment, options),
    kv,
    mark: environment.mark,
    targets: deployerTargets(environment),
    events: fanOut([options.shared, only(["deployment.", "job.", "target."], log)]),
    driftIntervalMs: milliseconds(environment.config.driftInterval),
  });
  await service.run(signal);
  await log.flush();
}

/** The log is the leader's: its writes are fenced by the lock the service takes with this KV. */
function kvWithLog(environment: Environment, role: "mirror" | "deployer", options: ServiceOptions) {
  const { clock, shared: events } = options;
  const onError = missingRules(emitterFor(environment.name, events, clock), role);
  const { kv, fence } = rememberLock(options.kv);
  return { kv, log: eventLog({ kv, clock, key: `${environment.layout.events}/${role}`, fence, onError }) };
}

function shared(environment: Environment, options: ServiceOptions) {
  const { config, clock, random } = options;
  const { holder, ...lock } = lockOptions(options);
  return { environment: environment.name, prefix: config.prefix, clock, random, holder, lock };
}
