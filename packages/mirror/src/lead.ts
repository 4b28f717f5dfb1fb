import {
  backoffMs,
  isSluiceError,
  type KvLock,
  type KvLockOptions,
  messageOf,
  type Outcome,
  type ReconcileLoop,
  type ReconcileLoopOptions,
  reconcileLoop,
  runSteps,
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
  /** Rules whose absence was told. */
  readonly missing: Set<string>;
}

const BACKOFF = { firstMs: 500, mostMs: 30_000 };

/** Contends for the lock and mirrors while it is held, again and again until the signal aborts. */
export async function lead(
  settings: Settings,
  options: KvLockOptions,
  state: Lead,
  signal: AbortSignal,
): Promise<void> {
  const { kv, layout, clock, random, emit } = settings;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const since = clock.now();
      const lock = await kv.lock(layout.lock("mirror"), options, signal);
      failures = 0;
      emit({ type: "leader.elected", role: "mirror", waitedMs: clock.now() - since });
      await serveTerm(settings, lock, state, signal);
      await lock.release();
      if (!signal.aborted) emit({ type: "leader.lost", role: "mirror" });
    } catch (error) {
      if (signal.aborted) return;
      fail(settings, state, error);
      await clock.sleep(backoffMs(failures++, BACKOFF, random), signal);
    }
  }
}

async function serveTerm(settings: Settings, lock: KvLock, state: Lead, signal: AbortSignal): Promise<void> {
  const term = new AbortController();
  const memory = emptyMemory();
  const ends = AbortSignal.any([signal, lock.lost, term.signal]);
  const loop = reconcileLoop({
    pass: (passSignal) => onePass(settings, lock, memory, term, passSignal),
    settled: (result) => {
      if (result.kind === "failed" || result.kind === "again") memory.retries += 1;
      settled(settings, state, result);
    },
    intervalMs: settings.intervalMs,
    backoff: BACKOFF,
    clock: settings.clock,
    random: settings.random,
  });
  state.wake = loop.wake;
  const hints = [
    sourceHints(settings, loop, ends),
    controlHints(settings, loop, memory, state, ends),
    fetchHints(settings, loop, state, ends),
  ];
  await loop.run(ends);
  term.abort();
  state.wake = () => undefined;
  await Promise.all(hints);
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

/** Hints only: where they end, the interval still wakes the loop. */
async function sourceHints({ source }: Settings, loop: ReconcileLoop, signal: AbortSignal): Promise<void> {
  if (!source.watch) return;
  await each(source.watch(signal), loop.wake);
}

/** A person who asks for a sync gets a comparison of everything. */
async function controlHints(
  settings: Settings,
  loop: ReconcileLoop,
  memory: Memory,
  state: Lead,
  signal: AbortSignal,
): Promise<void> {
  let first = true;
  await each(controls(settings, "sync", state, signal), () => {
    if (!first) memory.auditAt = 0;
    first = false;
    loop.wake();
  });
}

/** Webhooks, wherever they arrive, only say that the branch may have moved. */
async function fetchHints(
  settings: Settings,
  loop: ReconcileLoop,
  state: Lead,
  signal: AbortSignal,
): Promise<void> {
  await each(controls(settings, "fetch", state, signal), loop.wake);
}

/** A mirror can do without hints, but whoever forgot the rule for them should hear of it, once. */
function controls({ kv, layout, emit }: Settings, name: string, { missing }: Lead, signal: AbortSignal) {
  function onError(error: unknown) {
    if (!isSluiceError(error, "KV_DENIED", "KV_FILTERED") || missing.has(error.message)) return;
    missing.add(error.message);
    emit({ type: "rule.missing", role: "mirror", code: error.code, message: error.message });
  }
  return kv.watch(layout.control(name), { signal, onError });
}

async function each(hints: AsyncIterable<unknown>, wake: () => void): Promise<void> {
  try {
    for await (const _ of hints) wake();
  } catch {
    // A port's watch retries inside and ends only with the signal; a broken one must not end the mirror.
  }
}
