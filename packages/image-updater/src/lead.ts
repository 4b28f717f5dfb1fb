import {
  isSluiceError,
  type KvLock,
  messageOf,
  type Outcome,
  type ReconcileLoop,
  type ReconcileLoopOptions,
  reconcileLoop,
  runSteps,
  wakeAtEach,
} from "@sluice/core";
import { emptyMemory, type Memory, type Pass, type Settings } from "./pass.ts";
import { STEPS } from "./steps.ts";

/** What outlives a term of leadership. */
export interface Telling {
  /** Wakes the loop of the current term. */
  wake: () => void;
  /** True after a failure was told, until a recovery is. */
  failing: boolean;
  /** What it was last told to wait for. */
  waiting: string | undefined;
  /** Told of what a hint's watch may not read. */
  readonly onMissing: (error: unknown) => void;
}

type Result = Parameters<NonNullable<ReconcileLoopOptions["settled"]>>[0];

const BACKOFF = { firstMs: 500, mostMs: 30_000 };

/** Works while the lock is held. @throws LOCK_LOST as soon as a write finds that it is not. */
export async function serveTerm(
  settings: Settings,
  lock: KvLock,
  telling: Telling,
  signal: AbortSignal,
): Promise<void> {
  const memory = emptyMemory(settings.pace);
  const ended = new AbortController();
  const stop = () => ended.abort(signal.reason);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  let deposed: unknown;
  const loop = reconcileLoop({
    pass: (passSignal) => onePass(settings, lock, memory, passSignal),
    settled(result) {
      if (result.kind === "failed" && isSluiceError(result.error, "LOCK_LOST")) {
        deposed = result.error;
        ended.abort(result.error);
      } else settle(settings, telling, result);
    },
    intervalMs: settings.intervalMs,
    backoff: BACKOFF,
    clock: settings.clock,
    random: settings.random,
  });
  telling.wake = loop.wake;
  const hints = hintsOf(settings, telling, loop, ended.signal);
  try {
    await loop.run(ended.signal);
  } finally {
    ended.abort();
    signal.removeEventListener("abort", stop);
    telling.wake = () => undefined;
    await Promise.all(hints);
  }
  if (deposed) throw deposed;
}

async function onePass(
  settings: Settings,
  lock: KvLock,
  memory: Memory,
  signal: AbortSignal,
): Promise<Outcome> {
  const pass: Pass = { settings, memory, fence: lock.fence, telling: new Map() };
  const outcome = await runSteps(STEPS, pass, signal);
  for (const [what, tell] of pass.telling) if (!memory.told.has(what)) tell();
  memory.told = new Set(pass.telling.keys());
  return outcome;
}

/** Waits that are part of the work, and nothing to tell. */
const USUAL: ReadonlySet<string> = new Set(["Conflict", "Pending"]);

function settle(settings: Settings, telling: Telling, result: Result): void {
  if (result.kind === "failed") tellFailure(settings, telling, result.error);
  if (result.kind === "failed" || result.kind === "again") return;
  if (telling.failing) settings.emit({ type: "images.recovered" });
  telling.failing = false;
  const waits = result.kind === "wait" && !USUAL.has(result.reason) ? result : undefined;
  if (waits && telling.waiting !== waits.message)
    settings.emit({ type: "images.waiting", reason: waits.reason, message: waits.message });
  if (result.kind !== "wait" || waits) telling.waiting = waits?.message;
}

/** Told on the transition only. */
export function tellFailure({ emit }: Settings, telling: Telling, error: unknown): void {
  if (telling.failing) return;
  telling.failing = true;
  const code = isSluiceError(error) ? error.code : "INTERNAL";
  emit({ type: "images.failed", code, message: messageOf(error) });
}

/** Hints only: where they end, the interval still wakes the loop. */
function hintsOf(
  { source, kv, layout }: Settings,
  { onMissing: onError }: Telling,
  loop: ReconcileLoop,
  signal: AbortSignal,
): Promise<void>[] {
  const watches: AsyncIterable<unknown>[] = [
    kv.watch(layout.images, { signal }),
    kv.watch(layout.control("sync"), { signal, onError }),
    kv.watch(layout.control("fetch"), { signal, onError }),
  ];
  if (source.watch) watches.push(source.watch(signal));
  return watches.map((hints) => wakeAtEach(hints, loop.wake));
}
