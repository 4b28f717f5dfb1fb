import { backoffMs, type Clock, isSluiceError, type Random, SluiceError } from "@sluice/core";
import { NOT_CONSUL } from "./failure.ts";
import { SESSION_RULE } from "./rule.ts";
import type { Transport } from "./transport.ts";

export interface SessionContext {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
}

export interface SessionOptions {
  /** For people, in Consul's own list of sessions. */
  readonly name: string;
  readonly ttlMs: number;
  readonly lockDelayMs: number;
}

/** A session that is kept alive. */
export interface Session {
  readonly id: string;
  /** Aborts with LOCK_LOST when the session is gone or was not renewed for its TTL, and when it is ended. */
  readonly lost: AbortSignal;
  /** Declares it lost; the first reason counts. */
  lose(reason: string): void;
  /** Stops renewing it and asks for its end. Never rejects; false: it may live on until its TTL is over. */
  end(): Promise<boolean>;
}

/** A session bound to a TTL and to no health check, so that a flap of the node's gossip does not end it. */
export async function openSession(
  context: SessionContext,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Session> {
  const since = context.clock.now();
  const deed = { what: `create the session "${options.name}"`, rule: SESSION_RULE };
  const reply = await context.transport.call({
    ...deed,
    signal,
    send: (client, settings) =>
      client.session.create({
        ...settings,
        name: options.name,
        ttl: `${options.ttlMs}ms`,
        // Consul's documents disagree about a delay of nothing; one millisecond is nothing everywhere.
        lockdelay: `${Math.max(1, options.lockDelayMs)}ms`,
        behavior: "release",
        checks: [],
      }),
  });
  const id = reply.body?.ID;
  if (!id) throw context.transport.error(NOT_CONSUL, deed);
  const controller = new AbortController();
  const session: Session = {
    id,
    lost: controller.signal,
    lose(reason) {
      if (!controller.signal.aborted) controller.abort(new SluiceError("LOCK_LOST", reason));
    },
    async end() {
      session.lose(`The session "${options.name}" was ended.`);
      return context.transport
        .call({
          what: "destroy a session",
          rule: SESSION_RULE,
          send: (client, settings) => client.session.destroy({ ...settings, id }),
        })
        .then(
          () => true,
          () => false,
        );
    },
  };
  void keepAlive(context, session, { name: options.name, ttlMs: options.ttlMs, since });
  return session;
}

interface Lease {
  readonly name: string;
  readonly ttlMs: number;
  /** When the last request that renewed it was sent. */
  readonly since: number;
}

/** Renews at half the TTL; after a failure sooner, until the TTL is over since the last success. Never rejects. */
async function keepAlive(context: SessionContext, session: Session, opened: Lease): Promise<void> {
  const { clock, random } = context;
  let lease = opened;
  for (let failures = 0; !session.lost.aborted; ) {
    const half = lease.ttlMs / 2;
    const retry = backoffMs(failures - 1, { firstMs: half / 20, mostMs: half / 4 }, random);
    // A process that was paused must not sleep once more before it notices.
    if (left(lease, clock) > 0) await clock.sleep(failures === 0 ? half : retry, session.lost);
    if (session.lost.aborted) return;
    if (left(lease, clock) <= 0)
      return session.lose(`The session "${lease.name}" could not be renewed in time.`);
    try {
      lease = await renew(context, session, lease, left(lease, clock));
      failures = 0;
    } catch (error) {
      if (isSluiceError(error, "LOCK_LOST")) return session.lose(error.message);
      failures += 1;
    }
  }
}

/** Milliseconds until the lease is over. */
function left({ since, ttlMs }: Lease, clock: Clock): number {
  return since + ttlMs - clock.now();
}

async function renew(
  { transport, clock }: SessionContext,
  session: Session,
  lease: Lease,
  leftMs: number,
): Promise<Lease> {
  const since = clock.now();
  const reply = await transport.call<readonly { TTL: string }[]>({
    what: `renew the session "${lease.name}"`,
    rule: SESSION_RULE,
    signal: session.lost,
    timeoutMs: Math.ceil(Math.min(transport.timeoutMs, leftMs)),
    accept: ({ status }) => status === 404,
    send: (client, settings) => client.session.renew({ ...settings, id: session.id }),
  });
  if (reply.status === 404)
    throw new SluiceError("LOCK_LOST", `The session "${lease.name}" is gone: it expired or was destroyed.`);
  // A loaded server raises the TTL, and expects to be asked less often.
  return { ...lease, since, ttlMs: goDurationMs(reply.body?.[0]?.TTL ?? "") ?? lease.ttlMs };
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration such as "1m30s" in milliseconds; undefined where it is none. */
export function goDurationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sum += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return sum;
}
