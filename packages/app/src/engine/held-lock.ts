import type { Kv, KvFence, KvLock } from "@sluice/core";

/** A KV for one service that takes one lock, and the fence of that lock while it is held. */
export interface KvWithLock {
  readonly kv: Kv;
  fence(): KvFence | undefined;
}

/** For what is written beside a service and in its name: it counts only while the service leads. */
export function rememberLock(kv: Kv): KvWithLock {
  let held: KvLock | undefined;
  return {
    fence: () => (held?.lost.aborted === false ? held.fence : undefined),
    kv: {
      get limits() {
        return kv.limits;
      },
      get: kv.get,
      getMany: kv.getMany,
      list: kv.list,
      namesUnlessWritten: kv.namesUnlessWritten,
      commit: kv.commit,
      putLarge: kv.putLarge,
      watch: kv.watch,
      async lock(key, options, signal) {
        held = await kv.lock(key, options, signal);
        return held;
      },
    },
  };
}
