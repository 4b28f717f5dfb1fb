import type { Clock } from "@sluice/core";
import type { CheckStatus } from "../catalog/types.ts";
import type { CheckDefinition, HttpProbe, TcpProbe } from "./definition.ts";
import { type ProbeResult, probe } from "./probes.ts";

/** Keeps the agent's checks going: makes the HTTP and TCP ones, lets the TTL ones expire. */
export interface CheckLoops {
  /** Starts a check, or starts it anew with a new definition. */
  start(check: CheckDefinition, current: CheckStatus): void;
  cancel(id: string): void;
  /** A TTL check was heard from. @returns false when no TTL check has the id. */
  heard(id: string, result: ProbeResult): Promise<boolean>;
  stop(): Promise<void>;
}

export interface CheckLoopOptions {
  clock: Clock;
  /** Stores a check's new state; called on every result, changed or not. */
  report(id: string, result: ProbeResult): Promise<void>;
  /** Removes a service whose check was critical for too long. */
  removeService(id: string): Promise<void>;
  /** Told of what a check's background work throws. */
  failed(error: unknown): void;
}

interface Loop {
  check: CheckDefinition;
  abort: AbortController;
  /** Aborting it restarts the TTL. */
  heard: AbortController;
  last: ProbeResult;
  /** Ends the countdown to the removal of the service. */
  doomed?: AbortController | undefined;
}

export function checkLoops({ clock, report, removeService, failed }: CheckLoopOptions): CheckLoops {
  const loops = new Map<string, Loop>();
  const working = new Set<Promise<void>>();

  function background(work: Promise<void>) {
    const kept: Promise<void> = work.catch(failed).finally(() => working.delete(kept));
    working.add(kept);
  }

  async function settle(loop: Loop, result: ProbeResult) {
    if (loop.abort.signal.aborted) return;
    loop.last = result;
    await report(loop.check.id, result);
    watchCritical(loop, result.status);
  }

  function watchCritical(loop: Loop, status: CheckStatus) {
    const { deregisterAfterMs, serviceId } = loop.check;
    if (status !== "critical") {
      loop.doomed?.abort();
      loop.doomed = undefined;
    } else if (deregisterAfterMs > 0 && serviceId !== "" && !loop.doomed && !loop.abort.signal.aborted) {
      loop.doomed = new AbortController();
      background(removeAfter(deregisterAfterMs, serviceId, loop.doomed.signal));
    }
  }

  async function removeAfter(ms: number, serviceId: string, signal: AbortSignal) {
    await clock.sleep(ms, signal);
    if (!signal.aborted) await removeService(serviceId);
  }

  async function expire(loop: Loop, ttlMs: number) {
    const { signal } = loop.abort;
    while (!signal.aborted) {
      loop.heard = new AbortController();
      await clock.sleep(ttlMs, AbortSignal.any([signal, loop.heard.signal]));
      if (signal.aborted || loop.heard.signal.aborted) continue;
      const { output } = loop.last;
      const rest =
        output && !output.startsWith(EXPIRED) ? ` (last output before timeout follows): ${output}` : "";
      await settle(loop, { status: "critical", output: EXPIRED + rest });
      await clock.sleep(Number.MAX_SAFE_INTEGER, AbortSignal.any([signal, loop.heard.signal]));
    }
  }

  async function examine(loop: Loop, target: HttpProbe | TcpProbe) {
    const { signal } = loop.abort;
    const count = { successes: 0, failures: 0 };
    while (!signal.aborted) {
      const result = await probe(target, signal);
      if (isTelling(loop.check, result, count)) await settle(loop, result);
      await clock.sleep(target.intervalMs, signal);
    }
  }

  function cancel(id: string) {
    const loop = loops.get(id);
    loop?.abort.abort();
    loop?.doomed?.abort();
    loops.delete(id);
  }

  return {
    cancel,
    start(check, current) {
      cancel(check.id);
      const last = { status: current, output: "" };
      const loop: Loop = { check, abort: new AbortController(), heard: new AbortController(), last };
      loops.set(check.id, loop);
      watchCritical(loop, current);
      background(check.probe.type === "ttl" ? expire(loop, check.probe.ttlMs) : examine(loop, check.probe));
    },
    async heard(id, result) {
      const loop = loops.get(id);
      if (loop?.check.probe.type !== "ttl") return false;
      loop.heard.abort();
      await settle(loop, result);
      return true;
    },
    async stop() {
      for (const id of [...loops.keys()]) cancel(id);
      await Promise.all(working);
    },
  };
}

const EXPIRED = "TTL expired";

/** Whether a result changes the state, given how many of its kind in a row the check asks for. */
function isTelling(
  check: CheckDefinition,
  { status }: ProbeResult,
  count: { successes: number; failures: number },
) {
  const failed = status === "critical";
  count.successes = failed ? 0 : count.successes + 1;
  count.failures = failed ? count.failures + 1 : 0;
  return failed
    ? count.failures >= check.failuresBeforeCritical
    : count.successes >= check.successesBeforePassing;
}
