import {
  isSluiceError,
  type KvLock,
  type KvLockOptions,
  leadWhileHeld,
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
export interface Lead {
  /** Wakes the loop of the current term. */
  wake: () => void;
  /** True after a failure was told, until a recovery is. */
  failing: boolean;
  /** What it was last told to wait for. */
  waiting: string | undefined;
  /** Told of what a hint's watch may not read. */
  readonly onMissing: (error: unknown) => void;
}

const BACKOFF = { firstMs: 500, mostMs: 30_000 };

/** Contends for the lock and mirrors while it is held, again and again until the signal aborts. */
export function lead(
  settings: Settings,
  lock: KvLockOptions,
  state: Lead,
  signal: AbortSignal,
): Promise<void> {
  const { kv, layout, clock, random, emit } = settings;
  const onFailure = (error: unknown) => fail(settings, state, error);
  const key = layout.lock("mirror");
  return leadWhileHeld(
    { kv, key, lock, role: "mirror", emit, clock, random, onFailure },
    (held, term) => serveTerm(settings, held, state, term),
    signal,
  );
}

async function serveTerm(settings: Settings, lock: KvLock, state: Lead, signal: AbortSignal): Promise<void> {
  const term = new AbortController();
  const memory = emptyMemory();
  const ends = AbortSignal.any([signal, term.signal]);
  let hints: Promise<void>[] | undefined;
  const loop = reconcileLoop({
    pass: (passSignal) => onePass(settings, lock, memory, term, passSignal),
    settled: (result) => {
      if (result.kind === "failed" || result.kind === "again") memory.retries += 1;
      settled(settings, state, result);
      // The first pass waits for nobody; each hint begins with one, so that nothing in between is missed.
      hints ??= hintsOf(settings, loop, memory, state, ends);
    },
    intervalMs: settings.intervalMs,
    backoff: BACKOFF,
    clock: settings.clock,
    random: settings.random,
  });
  state.wake = loop.wake;
  await loop.run(ends);
  term.abort();
  state.wake = () => undefined;
  await Promise.all(hints ?? []);
}

async function onePass(
  settings: Settings,
  lock: KvLock,
  memory: Memory,
  term: AbortController,
  signal: AbortSignal,
): Promise<Outcome> {
  const pass: Pass = { settings, memory, fence: lock.fence, startedAt: settings.clock.now() };
  try {
    return await runSteps(STEPS, pass, signal);
  } catch (error) {
    // Someone else leads: nothing of this term may count any more.
    if (isSluiceError(error, "LOCK_LOST")) {
      settings.emit({ type: "mirror.fenced" });
      term.abort(error);
    }
    throw error;
  }
}

function settled(
  settings: Settings,
  state: Lead,
  result: Parameters<NonNullable<ReconcileLoopOptions["settled"]>>[0],
): void {
  if (result.kind === "failed") fail(settings, state, result.error);
  else if (result.kind !== "again") recover(settings, state);
  if (result.kind === "wait") hold(settings, state, result);
  else if (result.kind !== "failed" && result.kind !== "again") state.waiting = undefined;
}

function hold({ emit }: Settings, state: Lead, { reason, message }: Outcome & { kind: "wait" }): void {
  if (state.waiting === message) return;
  state.waiting = message;
  emit({ type: "mirror.waiting", reason, message });
}

function fail({ emit }: Settings, state: Lead, error: unknown): void {
  if (state.failing) return;
  state.failing = true;
  const code = isSluiceError(error) ? error.code : "INTERNAL";
  emit({ type: "mirror.failed", code, message: messageOf(error) });
}

function recover({ emit }: Settings, state: Lead): void {
  if (!state.failing) return;
  state.failing = false;
  emit({ type: "mirror.recovered" });
}

/** Webhooks, wherever they arrive, only say that the branch may have moved; a person who asks for a sync gets a comparison of everything. */
function hintsOf(
  { source, kv, layout }: Settings,
  loop: ReconcileLoop,
  memory: Memory,
  { onMissing: onError }: Lead,
  signal: AbortSignal,
): Promise<void>[] {
  let first = true;
  const compareAll = () => {
    if (!first) memory.auditAt = 0;
    first = false;
    loop.wake();
  };
  return [
    wakeAtEach(kv.watch(layout.control("sync"), { signal, onError }), compareAll),
    wakeAtEach(kv.watch(layout.control("fetch"), { signal, onError }), loop.wake),
    ...(source.watch ? [wakeAtEach(source.watch(signal), loop.wake)] : []),
  ];
}
