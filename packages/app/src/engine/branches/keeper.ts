import {
  backoffMs,
  type Clock,
  type EventSink,
  emitterFor,
  isSluiceError,
  type Kv,
  type KvLock,
  type KvLockOptions,
  messageOf,
  type Outcome,
  type Random,
  type ReconcileLoop,
  reconcileLoop,
} from "@sluice/core";
import { milliseconds } from "../environment.ts";
import { type BranchKeeping, branchPass, emptyBranchMemory } from "./pass.ts";
import type { PatternedEnvironment } from "./patterned.ts";

export interface BranchKeeperOptions {
  readonly patterned: PatternedEnvironment;
  readonly kv: Kv;
  /** Where the lock `branches` is taken; the same KV. */
  readonly elections: Pick<Kv, "lock">;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly lock: KvLockOptions;
  /** Told of what a hint could not be asked for; the interval still serves. */
  readonly onError?: (error: unknown) => void;
}

const BACKOFF = { firstMs: 500, mostMs: 30_000 };

/**
 * Keeps the registry of an environment's branches, and removes what was mirrored of those that are gone, while it holds the
 * environment's lock `branches`; stands by while another process does. Ends with the signal; never rejects.
 */
export async function keepBranches(options: BranchKeeperOptions, signal: AbortSignal): Promise<void> {
  const { patterned, elections, clock, random, lock } = options;
  const emit = emitterFor(patterned.name, options.events, clock);
  const teller = failureTeller(emit);
  for (let failures = 0; !signal.aborted; ) {
    try {
      const held = await elections.lock(patterned.layout.lock("branches"), lock, signal);
      failures = 0;
      emit({ type: "leader.elected", role: "branches" });
      await serveTerm(options, held, { emit, teller }, signal);
      await held.release();
      if (!signal.aborted) emit({ type: "leader.lost", role: "branches" });
    } catch (error) {
      if (signal.aborted) return;
      teller.failed(error);
      await clock.sleep(backoffMs(failures++, BACKOFF, random), signal);
    }
  }
}

type Emit = BranchKeeping["emit"];

/** Tells a failure once, until it is over. */
function failureTeller(emit: Emit) {
  let failing = false;
  return {
    failed(error: unknown) {
      if (failing) return;
      failing = true;
      const code = isSluiceError(error) ? error.code : "INTERNAL";
      emit({ type: "branches.failed", code, message: messageOf(error) });
    },
    succeeded() {
      if (failing) emit({ type: "branches.recovered" });
      failing = false;
    },
  };
}

async function serveTerm(
  { patterned, kv, clock, random, lock, onError }: BranchKeeperOptions,
  held: KvLock,
  { emit, teller }: { readonly emit: Emit; readonly teller: ReturnType<typeof failureTeller> },
  signal: AbortSignal,
): Promise<void> {
  const { registryKey, rules, list } = patterned;
  const layoutOf = (branch: string) => patterned.environmentOf(branch).layout;
  const keeping: BranchKeeping = { rules, registryKey, layoutOf, list, kv, clock, emit, lock };
  const memory = emptyBranchMemory();
  const term = new AbortController();
  const ends = AbortSignal.any([signal, held.lost, term.signal]);
  const loop = reconcileLoop({
    pass: (passSignal) => onePass(keeping, memory, { held, term }, passSignal),
    settled: (result) => (result.kind === "failed" ? teller.failed(result.error) : teller.succeeded()),
    intervalMs: milliseconds(patterned.config.source.interval),
    backoff: BACKOFF,
    clock,
    random,
  });
  const hints = [
    ...(patterned.watch ? [each(patterned.watch(ends), loop)] : []),
    ...["fetch", "sync"].map((name) =>
      each(kv.watch(patterned.layout.control(name), { signal: ends, ...(onError ? { onError } : {}) }), loop),
    ),
  ];
  await loop.run(ends);
  term.abort();
  await Promise.all(hints);
}

async function onePass(
  keeping: BranchKeeping,
  memory: ReturnType<typeof emptyBranchMemory>,
  { held, term }: { readonly held: KvLock; readonly term: AbortController },
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    return await branchPass(keeping, memory, held.fence, signal);
  } catch (error) {
    // The lock of a branch's environment may be lost, too; only our own ends the term.
    if (isSluiceError(error, "LOCK_LOST") && held.lost.aborted) term.abort(error);
    throw error;
  }
}

/** Hints only: where they end, the interval still wakes the loop. */
async function each(hints: AsyncIterable<unknown>, loop: ReconcileLoop): Promise<void> {
  try {
    for await (const _ of hints) loop.wake();
  } catch {
    // A watch retries inside and ends only with the signal; a broken one must not end the keeper.
  }
}
