import { backoffMs, type KvLock, type KvLockOptions, SluiceError } from "@sluice/core";
import { pathKey } from "./npm-client.ts";
import { keyRule } from "./rule.ts";
import { openSession, type Session } from "./session.ts";
import { type WatchContext, watchKey } from "./watch.ts";

export interface LockContext extends WatchContext {
  /** Keeps work that goes on behind the caller's back, so that closing can wait for it. */
  readonly background: (work: Promise<void>) => void;
  /** Aborts when the adapter is closed: what is still held is released then. */
  readonly closing: AbortSignal;
}

/** Between attempts while a lock delay runs: nothing tells when it ends. */
const REFUSED = { firstMs: 250, mostMs: 2_000 };
/** As many as are made until the shortest TTL is over for certain. */
const LATER_ENDS = 15;

/** Leader election by a session and `?acquire` (consul.md, 3.6). */
export async function takeLock(
  context: LockContext,
  key: string,
  options: KvLockOptions,
  signal: AbortSignal,
): Promise<KvLock> {
  const session = await openSession(context, { ...options, name: `${options.holder}: ${key}` }, signal);
  try {
    const either = AbortSignal.any([signal, session.lost]);
    for (let refusals = 0; !(await acquire(context, key, session, options.holder, either)); ) {
      if (await untilFree(context, key, either)) refusals = 0;
      else {
        await context.clock.sleep(backoffMs(refusals, REFUSED, context.random), either);
        refusals += 1;
      }
      either.throwIfAborted();
    }
  } catch (error) {
    context.background(giveUp(context, key, session, options.holder));
    signal.throwIfAborted();
    if (!session.lost.aborted) throw error;
    throw new SluiceError("KV_UNREACHABLE", `The session waiting for the lock "${key}" was lost.`, {
      cause: error,
    });
  }
  return heldLock(context, key, session, options.holder);
}

function heldLock(context: LockContext, key: string, session: Session, holder: string): KvLock {
  let released: Promise<void> | undefined;
  const release = () => session.lose(`The lock "${key}" was released.`);
  context.closing.addEventListener("abort", release);
  context.background(stepDownWhenTaken(context, key, session));
  session.lost.addEventListener("abort", () => {
    context.closing.removeEventListener("abort", release);
    released ??= giveUp(context, key, session, holder);
    context.background(released);
  });
  return {
    fence: { key, session: session.id },
    lost: session.lost,
    release() {
      release();
      return released ?? Promise.resolve();
    },
  };
}

/** Watches the key for as long as the lock is held: whoever else's it is, it is not ours. */
async function stepDownWhenTaken(context: LockContext, key: string, session: Session): Promise<void> {
  for await (const entry of watchKey(context, key, { signal: session.lost }))
    if (entry?.session !== session.id) session.lose(`The lock "${key}" is held by another session now.`);
}

function acquire(context: LockContext, key: string, session: Session, holder: string, signal: AbortSignal) {
  return put(context, key, { holder, verb: { acquire: session.id }, signal });
}

async function put(
  { transport }: LockContext,
  key: string,
  request: { holder: string; verb: { acquire: string } | { release: string }; signal?: AbortSignal },
): Promise<boolean> {
  const reply = await transport.call<boolean>({
    what: "acquire" in request.verb ? `take the lock "${key}"` : `release the lock "${key}"`,
    rule: keyRule(key, "write"),
    signal: request.signal,
    send: (client, settings) =>
      client.kv.set({ ...settings, ...request.verb, key: pathKey(key), value: Buffer.from(request.holder) }),
  });
  return reply.body === true;
}

/** Waits until nobody holds the key; false: nobody did when it was first seen, so that only a delay can be in the way. */
async function untilFree(context: LockContext, key: string, signal: AbortSignal): Promise<boolean> {
  let waited = false;
  for await (const entry of watchKey(context, key, { signal })) {
    if (entry?.session === undefined) return waited;
    waited = true;
  }
  return waited;
}

/** Releases before the session is destroyed: destroying it alone would start the lock delay. Never rejects. */
async function giveUp(context: LockContext, key: string, session: Session, holder: string): Promise<void> {
  await put(context, key, { holder, verb: { release: session.id } }).catch(() => undefined);
  if (!(await session.end())) context.background(endLater(context, session));
}

/**
 * A request for the lock that arrives late takes it for a session that nobody knows any more, and everybody waits for that one's TTL.
 * So it is ended as soon as the server listens again. Never rejects.
 */
async function endLater({ clock, random, closing }: LockContext, session: Session): Promise<void> {
  for (let failures = 0; failures < LATER_ENDS && !closing.aborted; failures++) {
    await clock.sleep(backoffMs(failures, REFUSED, random), closing);
    if (await session.end()) return;
  }
}
