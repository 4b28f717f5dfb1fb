import type { Clock, Kv, KvEntry, KvFence, KvLayout, KvLock, KvLockOptions, KvOp } from "@sluice/core";

export interface RemovalOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly layout: KvLayout;
  readonly lock: KvLockOptions;
  /** Asked once nobody else can write: false keeps everything. */
  stillGone(signal: AbortSignal): Promise<boolean>;
}

/** `kept`: the branch is there again. `managed`: a deployer still has jobs there. `busy`: somebody works there and does not let go. */
export type Removal =
  | { readonly kind: "removed"; readonly keys: number }
  | { readonly kind: "kept" | "managed" | "busy" };

/** How long those who were told to stop may take, beyond what a lock takes to pass from one that died. */
const LET_GO_MS = 10_000;
/** How often what was written meanwhile is listed again before the rest is left to another time. */
const ATTEMPTS = 5;
/** Around the operations, and around one operation's key, in a request's JSON; generously. */
const ENVELOPE_BYTES = 1_024;
const OPERATION_BYTES = 128;
/** Sluice's own requests to the environment; what people put under `control/` is theirs. */
const REQUESTS = ["sync", "prune", "fetch", "remove"] as const;

/**
 * Removes what Sluice wrote into the KV for one environment: the marker first, so that no reader takes the rest for a revision.
 * Keys are deleted by exact name and version, under the environment's own locks: nobody else writes there then.
 * @throws LOCK_LOST, KV_UNREACHABLE and the like; what is left is removed the next time.
 */
export async function removeEnvironment(options: RemovalOptions, signal: AbortSignal): Promise<Removal> {
  const locks: KvLock[] = [];
  try {
    for (const role of ["mirror", "deployer"]) {
      const lock = await lockSoon(options, role, signal);
      if (!lock) return { kind: "busy" };
      locks.push(lock);
    }
    const [mirror, deployer] = locks as [KvLock, KvLock];
    const held = AbortSignal.any([signal, mirror.lost, deployer.lost]);
    if (!(await options.stillGone(held))) return { kind: "kept" };
    if ((await options.kv.list(options.layout.inventories, held)).length > 0) return { kind: "managed" };
    const keys = await deleteAll(options, mirror.fence, held);
    return keys === undefined ? { kind: "busy" } : { kind: "removed", keys };
  } finally {
    for (const lock of locks) await lock.release();
  }
}

/** The keys of locks that nobody holds; best effort, since an unheld lock means nothing. */
export async function removeLocks({ kv, layout }: Pick<RemovalOptions, "kv" | "layout">): Promise<void> {
  const keys = ["mirror", "deployer"].map((role) => layout.lock(role));
  const entries = [...(await kv.getMany(keys)).values()].filter(({ session }) => session === undefined);
  if (entries.length > 0) await kv.commit(entries.map(deletion));
}

async function lockSoon(
  { kv, clock, layout, lock }: RemovalOptions,
  role: string,
  signal: AbortSignal,
): Promise<KvLock | undefined> {
  const tooLate = new AbortController();
  const done = new AbortController();
  const stop = () => tooLate.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  void clock.sleep(lock.ttlMs + lock.lockDelayMs + LET_GO_MS, done.signal).then(() => tooLate.abort());
  try {
    return await kv.lock(layout.lock(role), lock, tooLate.signal);
  } catch (error) {
    if (tooLate.signal.aborted && !signal.aborted) return undefined;
    throw error;
  } finally {
    done.abort();
    signal.removeEventListener("abort", stop);
  }
}

/** Undefined: another hand kept writing. */
async function deleteAll(
  options: RemovalOptions,
  fence: KvFence,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { kv } = options;
  let keys = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entries = await everything(options, signal);
    if (entries.length === 0) return keys;
    for (const ops of chunks(entries.map(deletion), kv)) {
      const { applied } = await kv.commit(ops, { fence }, signal);
      if (!applied) break;
      keys += ops.length;
    }
  }
  return undefined;
}

/** The marker comes first. The inventory is not among it: it is empty, or nothing is removed. */
async function everything({ kv, layout }: RemovalOptions, signal: AbortSignal): Promise<KvEntry[]> {
  const single = [layout.revision, layout.deployment, ...REQUESTS.map((name) => layout.control(name))];
  const found = await kv.getMany(single, signal);
  const entries = single.flatMap((key) => found.get(key) ?? []);
  for (const prefix of [layout.statuses, `${layout.events}/`, layout.changes, layout.files])
    entries.push(...(await kv.list(prefix, signal)));
  return entries;
}

function deletion({ key, modifyIndex }: KvEntry): KvOp {
  return { verb: "delete-cas", key, index: modifyIndex };
}

function chunks(ops: readonly KvOp[], { limits }: Kv): KvOp[][] {
  const parts: KvOp[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const op of ops) {
    const size = OPERATION_BYTES + Buffer.byteLength(op.key);
    const last = parts.at(-1);
    if (!last || last.length >= limits.operations || bytes + size > limits.bodyBytes) {
      parts.push([op]);
      bytes = ENVELOPE_BYTES + size;
    } else {
      last.push(op);
      bytes += size;
    }
  }
  return parts;
}
