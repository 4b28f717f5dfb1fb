import { emitterFor, isSluiceError, type KvLockOptions } from "@sluice/core";
import { type Environment, milliseconds } from "./environment.ts";
import { openCommitter } from "./repository.ts";
import type { ServiceOptions } from "./service-options.ts";

/** Files under keys of their own choice are no job files, and a branch that comes and goes is its people's. */
export function hasImages({ config, pattern }: Environment): boolean {
  return config.layout === undefined && pattern === undefined;
}

/** The role `image-updater`, for one environment. */
export async function runImageUpdater(
  environment: Environment,
  options: ServiceOptions & { readonly lock: KvLockOptions },
  signal: AbortSignal,
): Promise<void> {
  const { config, kv, clock, random, shared: events } = options;
  const { imageUpdater } = await import("@sluice/image-updater");
  const committer = await openCommitter(environment, options).catch((error: unknown) => {
    // A machine without git can do everything else.
    if (!isSluiceError(error, "GIT_MISSING")) throw error;
    const { code, message } = error;
    emitterFor(environment.name, events, clock)({ type: "images.failed", code, message });
    return undefined;
  });
  if (!committer) return;
  const source = await environment.openSource();
  const { holder, ...lock } = options.lock;
  const service = imageUpdater({
    looked: (announced) =>
      options.looked({ service: "image-updater", environment: environment.name, announced }),
    environment: environment.name,
    source,
    committer,
    kv,
    prefix: config.prefix,
    clock,
    random,
    events,
    holder,
    lock,
    intervalMs: milliseconds(environment.config.source.interval),
  });
  await service.run(signal).finally(() => Promise.all([source.close(), committer.close()]));
}
