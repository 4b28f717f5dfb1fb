import {
  type Clock,
  type Emit,
  EVERY_ENVIRONMENT,
  type EventSink,
  emitterFor,
  isSluiceError,
  type Kv,
  type KvFence,
  type KvLockOptions,
  leadWhileHeld,
  messageOf,
  OK,
  type Outcome,
  type Random,
  type ReconcileLoop,
  reconcileLoop,
  wait,
} from "@sluice/core";
import { type NoticeLayout, noticeLayout } from "./layout.ts";
import { type ChannelSettings, channelWorker } from "./outbox/channel-worker.ts";
import type { Route } from "./routing/routes.ts";
import type { Watched } from "./telling/look.ts";
import { tellOf, tellOfWide } from "./telling/teller.ts";

export interface NotifierOptions {
  readonly kv: Kv;
  /** The KV prefix of everything Sluice keeps: `sluice/`. */
  readonly prefix: string;
  /** The environments there are now; asked at each look. */
  readonly environments: () => readonly Watched[];
  readonly channels: readonly ChannelSettings[];
  readonly routes: readonly Route[];
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly lock: KvLockOptions;
  /** How long news of jobs waits for more of its kind, in milliseconds. */
  readonly gatherMs: number;
  /** For how long the same fact is told once, in milliseconds. */
  readonly repeatMs: number;
  /** After how long a message that nobody takes is given up, in milliseconds. */
  readonly giveUpMs: number;
  /** Time between two looks at the KV when nothing happens, in milliseconds; half a minute where absent. */
  readonly intervalMs?: number;
  /** So many messages of a channel wait at the most; 500 where absent. */
  readonly mostWaiting?: number;
}

/** Tells people and programs what happened, through channels that know nothing of each other. */
export interface Notifier {
  /** Stands by for the leader lock and works while it is held, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

interface Work extends NotifierOptions {
  readonly layout: NoticeLayout;
  readonly fence: KvFence;
  readonly emit: Emit;
  readonly tell: (error: unknown) => void;
}

const INTERVAL_MS = 30_000;
const BACKOFF = { firstMs: 1_000, mostMs: 60_000 };

export function notifier(options: NotifierOptions): Notifier {
  const { kv, clock, random, lock } = options;
  const emit = emitterFor(EVERY_ENVIRONMENT, options.events, clock);
  const layout = noticeLayout(options.prefix);
  const tell = (error: unknown) => {
    const code = isSluiceError(error) ? error.code : "INTERNAL";
    emit({ type: "notices.failed", code, message: messageOf(error) });
  };
  return {
    run: (signal) =>
      leadWhileHeld(
        { kv, key: layout.lock, lock, role: "notifier", emit, clock, random, onFailure: tell },
        (held, until) => serve({ ...options, layout, fence: held.fence, emit, tell }, until),
        signal,
      ),
  };
}

/** One loop hears, and one for each channel sends: none waits for another. */
async function serve(work: Work, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort(signal.reason);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  const { kv, layout, fence, emit, clock, random, giveUpMs } = work;
  const senders = new Map(
    work.channels.map((settings) => {
      const prefix = layout.outbox(settings.name);
      const bound = work.mostWaiting === undefined ? {} : { mostWaiting: work.mostWaiting };
      const pass = channelWorker({ ...settings, kv, prefix, fence, emit, clock, random, giveUpMs, ...bound });
      return [settings.name, loopOf(work, pass, over)] as const;
    }),
  );
  const teller = loopOf(work, tellingPass(work, senders), over);
  const watching = watcher(work, teller, over.signal);
  watching.look();
  try {
    await Promise.all([teller.run(over.signal), ...[...senders.values()].map((one) => one.run(over.signal))]);
  } finally {
    signal.removeEventListener("abort", end);
    over.abort();
    await watching.ended();
  }
}

function loopOf(
  work: Work,
  pass: (signal: AbortSignal) => Promise<Outcome>,
  over: AbortController,
): ReconcileLoop {
  const { emit, tell, clock, random, intervalMs = INTERVAL_MS } = work;
  let failing = false;
  return reconcileLoop({
    pass,
    settled(result) {
      const failed = result.kind === "failed";
      if (failed && isSluiceError(result.error, "LOCK_LOST")) return over.abort(result.error);
      if (failed && !failing) tell(result.error);
      if (!failed && failing) emit({ type: "notices.recovered" });
      failing = failed;
    },
    ...{ intervalMs, backoff: BACKOFF, clock, random },
  });
}

function tellingPass(work: Work, senders: ReadonlyMap<string, ReconcileLoop>) {
  let place = 0;
  const options = () => ({ ...work, now: work.clock.now(), next: () => place++ });
  return async (signal: AbortSignal): Promise<Outcome> => {
    const { clock } = work;
    const dues: number[] = [];
    const heed = ({ channels, dueAt }: Awaited<ReturnType<typeof tellOf>>) => {
      for (const name of channels) senders.get(name)?.wake();
      if (dueAt !== undefined) dues.push(dueAt);
    };
    const wide = await tellOfWide(options(), signal);
    heed(wide);
    let failure: unknown;
    for (const watched of work.environments())
      try {
        heed(await tellOf(watched, wide.since, options(), signal));
      } catch (error) {
        // One environment that cannot be read keeps no news of the others back.
        signal.throwIfAborted();
        if (isSluiceError(error, "LOCK_LOST")) throw error;
        failure ??= error;
      }
    if (failure !== undefined) throw failure;
    if (dues.length === 0) return OK;
    return wait(
      "Progressing",
      "news waits for more of its kind",
      Math.max(Math.min(...dues) - clock.now(), 50),
    );
  };
}

/** Wakes the loop when a log moves; environments may come and go. */
function watcher({ kv, layout, environments, clock }: Work, teller: ReconcileLoop, signal: AbortSignal) {
  const watched = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  const follow = async (key: string, until: AbortSignal) => {
    for await (const _ of kv.watch(key, { signal: until })) teller.wake();
  };
  const look = () => {
    const wanted = new Set([layout.wideLogs, ...environments().map((one) => `${one.layout.events}/`)]);
    for (const [key, { stop }] of watched) if (!wanted.has(key)) stop.abort();
    for (const key of wanted) {
      if (watched.has(key) || signal.aborted) continue;
      const stop = new AbortController();
      const ended = follow(key, stop.signal)
        .catch(() => undefined)
        .finally(() => watched.delete(key));
      watched.set(key, { stop, ended });
    }
  };
  const again = async () => {
    while (!signal.aborted) {
      await clock.sleep(LOOK_FOR_ENVIRONMENTS_MS, signal);
      if (!signal.aborted) look();
    }
    for (const { stop } of watched.values()) stop.abort();
  };
  const looking = again();
  return {
    look,
    async ended() {
      await looking;
      await Promise.all([...watched.values()].map(({ ended }) => ended));
    },
  };
}

const LOOK_FOR_ENVIRONMENTS_MS = 5_000;
