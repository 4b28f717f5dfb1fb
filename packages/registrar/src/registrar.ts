import {
  type Catalog,
  type Clock,
  type Emit,
  EVERY_ENVIRONMENT,
  type EventSink,
  emitterFor,
  isSluiceError,
  messageOf,
  OK,
  type Outcome,
  type Random,
  reconcileLoop,
} from "@sluice/core";
import { dockerCheckId } from "./checks.ts";
import type { Container, ContainerEngine, ListedContainer } from "./container.ts";
import { eachOf } from "./each-of.ts";
import { planRegistrations, type RegistrationPlan } from "./plan.ts";
import type { NamingOptions } from "./services.ts";
import { type Stopping, stoppingContainers } from "./stopping.ts";
import { wantedServices } from "./wanted.ts";

export interface RegistrarOptions extends NamingOptions {
  readonly engine: ContainerEngine;
  readonly catalog: Catalog;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly random: Random;
  /** Time between two looks when nothing is heard, in milliseconds; half a minute where absent. */
  readonly intervalMs?: number;
  /** True: what is registered goes when the registrar is stopped. */
  readonly deregisterOnStop?: boolean;
  /** Told of each look that came to its end: how many services this machine is to have. */
  readonly looked?: (services: number) => void;
}

/** Keeps the catalog's agent saying what containers run on its machine. */
export interface Registrar {
  /** Runs until the signal aborts. Nothing is kept between runs: everything is found again by looking. */
  run(signal: AbortSignal): Promise<void>;
}

interface Work extends RegistrarOptions {
  readonly emit: Emit;
  /** The containers of the last look, by id. */
  readonly seen: Map<string, { readonly mark: string; readonly container: Container }>;
  /** When each HEALTHCHECK was last told, by check id. */
  readonly reportedAt: Map<string, number>;
  readonly stopping: Stopping;
  /** What is left out, and was told. */
  readonly leftOut: Set<string>;
}

const INTERVAL_MS = 30_000;
const BACKOFF = { firstMs: 500, mostMs: 30_000 };
const AT_ONCE = 16;
/** A report is repeated long before the catalog would take its silence for an illness. */
const REPEAT_MS = 60 * 60_000;

export function registrar(options: RegistrarOptions): Registrar {
  const emit = emitterFor(EVERY_ENVIRONMENT, options.events, options.clock);
  const work: Work = {
    ...options,
    emit,
    seen: new Map(),
    reportedAt: new Map(),
    stopping: stoppingContainers(options.clock),
    leftOut: new Set(),
  };
  let failing = false;
  const loop = reconcileLoop({
    pass: (signal) => reconcile(work, signal),
    settled(end) {
      if (end.kind === "failed" && !failing) tellFailure(work, end.error);
      if (end.kind !== "failed" && failing) emit({ type: "registrar.recovered", node: options.node });
      failing = end.kind === "failed";
    },
    intervalMs: options.intervalMs ?? INTERVAL_MS,
    backoff: BACKOFF,
    clock: options.clock,
    random: options.random,
  });
  return {
    async run(signal) {
      const listen = async () => {
        for await (const hint of options.engine.watch(signal)) {
          work.stopping.note(hint);
          loop.wake();
        }
      };
      await Promise.all([loop.run(signal), listen()]);
      if (options.deregisterOnStop) await deregisterAll(work).catch((error) => tellFailure(work, error));
    },
  };
}

/** One look: what runs, what is registered, and the difference. */
async function reconcile(work: Work, signal: AbortSignal): Promise<Outcome> {
  const listed = await work.engine.list(signal);
  const unknown = await lookAt(listed, work, signal);
  const containers = [...work.seen.values()].map(({ container }) => container);
  const serving = containers.filter(({ id }) => !work.stopping.has(id));
  const { wanted, problems } = wantedServices(serving, containers, work);
  tellLeftOut(problems, work);
  const owned = await work.catalog.owned(work.owner, signal);
  const now = work.clock.now();
  const plan = planRegistrations(
    wanted,
    owned,
    unknown,
    (check) => now - (work.reportedAt.get(check) ?? 0) > REPEAT_MS,
  );
  await carryOut(plan, work, signal);
  const reported = new Set([...wanted.keys()].map(dockerCheckId));
  for (const check of work.reportedAt.keys()) if (!reported.has(check)) work.reportedAt.delete(check);
  if (unknown.size > 0) throw new Error("some containers could not be looked at");
  work.looked?.(wanted.size);
  return OK;
}

/** Looks closer at what is new or changed. @returns short ids of containers that could not be looked at. */
async function lookAt(
  listed: readonly ListedContainer[],
  { engine, seen, stopping }: Work,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const unknown = new Set<string>();
  const running = new Set(listed.map(({ id }) => id));
  for (const id of seen.keys()) if (!running.has(id)) seen.delete(id);
  stopping.forgetAllBut(running);
  const changed = listed.filter(({ id, mark }) => seen.get(id)?.mark !== mark);
  await eachOf(changed, AT_ONCE, async ({ id, mark }) => {
    try {
      const container = await engine.inspect(id, signal);
      if (container) seen.set(id, { mark, container });
      else seen.delete(id);
    } catch (error) {
      if (!isSluiceError(error, "ENGINE_UNREACHABLE")) throw error;
      // What was known of it is out of date; what is registered of it stays.
      seen.delete(id);
      unknown.add(id.slice(0, 12));
    }
  });
  return unknown;
}

function tellLeftOut(problems: ReadonlySet<string>, { leftOut, emit, node }: Work): void {
  for (const message of problems)
    if (!leftOut.has(message)) emit({ type: "registrar.left-out", node, message });
  leftOut.clear();
  for (const message of problems) leftOut.add(message);
}

/** New services first, so that a replaced container's traffic has where to go. One that is refused stops no other. */
async function carryOut(plan: RegistrationPlan, work: Work, signal: AbortSignal): Promise<void> {
  const { catalog, node, emit, clock, reportedAt } = work;
  const failures: unknown[] = [];
  const attempt = async (act: () => Promise<void>) => {
    try {
      await act();
      return 1;
    } catch (error) {
      failures.push(error);
      return 0;
    }
  };
  const total = async <T>(items: readonly T[], act: (item: T) => Promise<void>) => {
    let done = 0;
    await eachOf(items, AT_ONCE, async (item) => {
      // Not in one: what the others have added meanwhile would be lost.
      const one = await attempt(() => act(item));
      done += one;
    });
    return done;
  };
  const registered = await total(plan.register, ({ service }) => catalog.register(service, signal));
  const reported = await total(plan.report, async ({ checkId, status, output }) => {
    await catalog.report(checkId, status, output, signal);
    reportedAt.set(checkId, clock.now());
  });
  const deregistered = await total(plan.deregister, (id) => catalog.deregister(id, signal));
  if (registered + deregistered > 0)
    emit({ type: "registrar.changed", node, registered, deregistered, reported });
  if (failures.length > 0) throw failures[0];
}

async function deregisterAll({ catalog, owner }: Work): Promise<void> {
  const owned = await catalog.owned(owner, AbortSignal.timeout(5_000));
  await eachOf(owned, AT_ONCE, ({ id }) => catalog.deregister(id, AbortSignal.timeout(5_000)));
}

function tellFailure({ emit, node }: Work, error: unknown): void {
  const code = isSluiceError(error) ? error.code : "INTERNAL";
  emit({ type: "registrar.failed", node, code, message: messageOf(error) });
}
