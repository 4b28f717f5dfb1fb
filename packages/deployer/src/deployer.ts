import {
  backoffMs,
  decodeRecord,
  type Emit,
  emitterFor,
  isSluiceError,
  type JobId,
  jobKey,
  type KvEntry,
  type KvLock,
  kvLayout,
  leadWhileHeld,
  missingRules,
  type ReconcileLoop,
  reconcileLoop,
  SluiceError,
  type TargetName,
} from "@sluice/core";
import { DEFAULT_DRIFT_INTERVAL_MS, DEFAULT_LOCK, type DeployerOptions } from "./options.ts";
import { recordWriter } from "./records/record-writer.ts";
import { runPass } from "./steps.ts";
import { newTerm, type Term } from "./term.ts";
import { failureText } from "./text.ts";

/** Brings schedulers to what the KV's revision says, and keeps them there. */
export interface Deployer {
  /** Asks for a look now; without it the watches and the interval do. */
  wake(): void;
  /** Stands by for the leader lock, works while it is held, and starts over when it is lost; until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const BACKOFF = { firstMs: 500, mostMs: 30_000 };

export function deployer(options: DeployerOptions): Deployer {
  const emit = emitterFor(options.environment, options.events, options.clock);
  const layout = kvLayout(options.prefix, options.environment);
  let loop: ReconcileLoop | undefined;
  /** A lock that cannot be taken is told of once, until it could be. */
  let told = false;

  async function lead(lock: KvLock, signal: AbortSignal) {
    told = false;
    const deposed = new AbortController();
    const leading = AbortSignal.any([signal, deposed.signal]);
    const onLost = () => deposed.abort(new SluiceError("LOCK_LOST", "the leader lock was lost"));
    const writer = recordWriter({ kv: options.kv, fence: lock.fence, clock: options.clock, onLost });
    const term = newTerm(options, writer, leading);
    const current = loopFor(term);
    loop = current;
    try {
      await Promise.all([current.run(leading), ...watches(term, current)]);
    } finally {
      loop = undefined;
      // What is known of the jobs goes with the lock; where it cannot be written, whoever leads next finds it out.
      if (!lock.lost.aborted && !deposed.signal.aborted) await writer.flush().catch(() => undefined);
    }
  }

  function loopFor(term: Term): ReconcileLoop {
    let failing = false;
    return reconcileLoop({
      pass: (signal) => runPass(term, signal),
      settled(end) {
        if (end.kind === "failed" && !failing) tellFailure(emit, end.error);
        failing = end.kind === "failed";
      },
      intervalMs: options.driftIntervalMs ?? DEFAULT_DRIFT_INTERVAL_MS,
      backoff: BACKOFF,
      clock: options.clock,
      random: options.random,
    });
  }

  return {
    wake: () => loop?.wake(),
    run: (signal) =>
      leadWhileHeld(
        {
          ...{ kv: options.kv, clock: options.clock, random: options.random, emit, role: "deployer" },
          key: layout.lock("deployer"),
          lock: { ...(options.lock ?? DEFAULT_LOCK), holder: options.holder },
          onFailure(error) {
            if (!told) tellFailure(emit, error);
            told = true;
          },
        },
        lead,
        signal,
      ),
  };
}

function tellFailure(emit: Emit, error: unknown): void {
  const code = isSluiceError(error) ? error.code : "INTERNAL";
  emit({ type: "deployment.failed", code, message: failureText(error) });
}

/** Everything that makes a look worth while before its time. */
function watches(term: Term, loop: ReconcileLoop): Promise<void>[] {
  const { layout, options } = term;
  return [
    watchKey(term, layout.revision, (entry) => (isNewRevision(term, entry) ? loop.interrupt() : loop.wake())),
    watchKey(term, layout.control("sync"), (entry) => isNew(entry, term.syncSeen) && loop.interrupt()),
    watchKey(term, layout.control("prune"), (entry) => isNew(entry, term.agreedSeen) && loop.interrupt()),
    watchKey(term, layout.control("suspend"), (entry) => isNew(entry, term.suspendSeen) && loop.interrupt()),
    ...[...options.targets.keys()].map((target) => watchTarget(term, target, loop)),
  ];
}

async function watchKey(term: Term, key: string, then: (entry: KvEntry | undefined) => void): Promise<void> {
  const onError = missingRules(term.emit, "deployer");
  for await (const entry of term.options.kv.watch(key, { signal: term.leading, onError })) then(entry);
}

/** A watch that ends before its time is opened again; meanwhile the rounds find what it would have told. */
async function watchTarget(term: Term, target: TargetName, loop: ReconcileLoop): Promise<void> {
  const { options, leading, hints } = term;
  const scheduler = options.targets.get(target)?.scheduler;
  for (let failures = 0; scheduler?.watch && !leading.aborted; failures++) {
    try {
      for await (const id of scheduler.watch(leading))
        if (concerns(term, target, id) && hints.note(target, id)) loop.wake();
    } catch {
      // Hints are a convenience: a scheduler that cannot give them is polled.
    }
    await options.clock.sleep(backoffMs(failures, BACKOFF, options.random), leading);
  }
}

/** False for what others run beside us. */
function concerns({ tree, records }: Term, target: TargetName, id: JobId | undefined): boolean {
  if (id === undefined || !tree) return true;
  const key = jobKey(target, id);
  return tree.desired.jobs.has(key) || records?.inventory.has(key) === true;
}

/** A wish of a person that no pass has seen yet. */
function isNew(entry: KvEntry | undefined, seen: string | undefined): boolean {
  return seen !== undefined && (entry?.modifyIndex ?? "") !== seen;
}

/** What is being worked on is out of date only once another revision is wholly there. */
function isNewRevision({ tree }: Term, entry: KvEntry | undefined): boolean {
  if (!entry || !tree) return false;
  try {
    const marker = decodeRecord("marker", entry);
    return marker.state === "synced" && marker.revision !== tree.marker.revision;
  } catch {
    return false;
  }
}
