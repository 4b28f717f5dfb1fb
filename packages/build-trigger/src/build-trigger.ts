import {
  type Clock,
  EVERY_ENVIRONMENT,
  type EventSink,
  emitterFor,
  isSluiceError,
  type Kv,
  type KvLockOptions,
  leadWhileHeld,
  messageOf,
  missingRules,
  type Random,
  reconcileLoop,
  wakeAtEach,
} from "@sluice/core";
import type { CiServer } from "./ci/ci-server.ts";
import { BACKOFF, lookAtBuilds, type Work } from "./pass.ts";
import { type BuildRecord, buildLayout } from "./record.ts";

/** Where the builds of an app are done. */
export interface BuildTarget {
  readonly ci: CiServer;
  /** How long a build may take from its request to its end, in milliseconds. */
  readonly timeoutMs: number;
}

export interface BuildTriggerOptions {
  readonly kv: Kv;
  /** The KV prefix of everything Sluice keeps: `sluice/`. */
  readonly prefix: string;
  /** By the app's name. */
  readonly apps: ReadonlyMap<string, BuildTarget>;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly lock: KvLockOptions;
  /** Time between two looks at the KV when nothing happens, in milliseconds; half a minute where absent. */
  readonly intervalMs?: number;
  /** How many ended builds of an app are remembered; 50 where absent. */
  readonly remembered?: number;
  /** Told at each look: the remembered builds of an app as they are found. */
  readonly looked?: (app: string, builds: readonly BuildRecord[]) => void;
}

/** Begins the builds that pushes asked for and follows each to its end. */
export interface BuildTrigger {
  /** Stands by for the leader lock and works while it is held, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const INTERVAL_MS = 30_000;

export function buildTrigger(options: BuildTriggerOptions): BuildTrigger {
  const { kv, clock, random, lock } = options;
  const emit = emitterFor(EVERY_ENVIRONMENT, options.events, clock);
  const layout = buildLayout(options.prefix);
  const tell = (error: unknown) => {
    const code = isSluiceError(error) ? error.code : "INTERNAL";
    emit({ type: "builds.failed", code, message: messageOf(error) });
  };
  return {
    run: (signal) =>
      leadWhileHeld(
        { kv, key: layout.lock, lock, role: "build-trigger", emit, clock, random, onFailure: tell },
        (held, until) =>
          serve({ ...options, emit, layout, fence: held.fence, pauses: new Map() }, tell, until),
        signal,
      ),
  };
}

async function serve(work: Work, tell: (error: unknown) => void, signal: AbortSignal): Promise<void> {
  const lost = new AbortController();
  signal.addEventListener("abort", () => lost.abort(signal.reason), { signal: lost.signal });
  let failing = false;
  const loop = reconcileLoop({
    pass: (until) => lookAtBuilds(work, until),
    settled(end) {
      if (end.kind === "failed" && isSluiceError(end.error, "LOCK_LOST")) return lost.abort(end.error);
      if (end.kind === "failed" && !failing) tell(end.error);
      if (end.kind !== "failed" && failing) work.emit({ type: "builds.recovered" });
      failing = end.kind === "failed";
    },
    intervalMs: work.intervalMs ?? INTERVAL_MS,
    backoff: BACKOFF,
    clock: work.clock,
    random: work.random,
  });
  // Without the bell the interval finds what was asked for, but whoever forgot the rule should hear of it.
  const onError = missingRules(work.emit, "build-trigger");
  const hints = work.kv.watch(work.layout.bell, { signal: lost.signal, onError });
  await Promise.all([loop.run(lost.signal), wakeAtEach(hints, loop.wake)]);
}
