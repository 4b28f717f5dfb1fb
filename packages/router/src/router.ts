import {
  EVERY_ENVIRONMENT,
  emitterFor,
  isSluiceError,
  messageOf,
  OK,
  type Outcome,
  reconcileLoop,
  wait,
} from "@sluice/core";
import { configFile } from "./config-file.ts";
import { routerMemory } from "./decide.ts";
import { type RouterOptions, TIMING } from "./options.ts";
import { firstState, lookAt, type Work } from "./pass.ts";
import { renderer } from "./render.ts";
import { snapshotOf } from "./snapshot.ts";

/** Keeps a load balancer on this machine sending traffic to what the catalog says is well. */
export interface Router {
  /** Runs until the signal aborts; the balancer goes on as it is. */
  run(signal: AbortSignal): Promise<void>;
}

const BACKOFF = { firstMs: 500, mostMs: 30_000 };

/** @throws TEMPLATE_INVALID */
export function router(options: RouterOptions): Router {
  const { clock, random } = options;
  const emit = emitterFor(EVERY_ENVIRONMENT, options.events, clock);
  const timing = { ...TIMING, ...options.timing };
  let failing = false;
  const tell = (error: unknown) => {
    if (failing) return;
    failing = true;
    const code = isSluiceError(error) ? error.code : "INTERNAL";
    emit({ type: "router.failed", code, message: messageOf(error) });
  };
  const loop = reconcileLoop({
    pass: (signal) => pass(work, signal),
    settled(end) {
      if (end.kind === "failed") tell(end.error);
      else if (failing && end.kind !== "again" && !snapshot.failing()) {
        failing = false;
        emit({ type: "router.recovered" });
      }
    },
    intervalMs: timing.intervalMs,
    backoff: BACKOFF,
    clock,
    random,
  });
  const snapshot = snapshotOf({
    catalog: options.catalog,
    clock,
    wanted: (name, tags) => tags.includes(options.tag) || options.services.includes(name),
    changed: () => loop.wake(),
    onError: tell,
  });
  const work: Work = {
    balancer: options.balancer,
    file: configFile(options.file),
    renderer: renderer(options.template, options.settings),
    memory: routerMemory(),
    reserved: portsAmong(options.settings),
    mostRemoved: options.mostRemoved ?? 0.5,
    timing,
    snapshot,
    clock,
    emit,
    looked: options.looked,
    state: firstState(),
  };
  return {
    async run(signal) {
      await Promise.all([loop.run(signal), snapshot.follow(signal)]);
    },
  };
}

/** A look, once the catalog has been quiet for a moment. */
async function pass(work: Work, signal: AbortSignal): Promise<Outcome> {
  const { snapshot, timing, clock } = work;
  const services = snapshot.services();
  if (!services) return wait("Unreachable", "the catalog has not told everything yet", timing.intervalMs);
  const { first, last } = snapshot.moved;
  const now = clock.now();
  const due = first === 0 ? now : Math.min(last + timing.quietMs, first + timing.patienceMs);
  if (due > now) return wait("Pending", "the catalog is still moving", due - now);
  snapshot.settle();
  return (await lookAt(services, work, signal)) ?? OK;
}

/** The template's own ports: `http_port` and every other setting of such a name. */
function portsAmong(settings: Readonly<Record<string, unknown>>): ReadonlySet<number> {
  const ports = Object.entries(settings).filter(([name]) => /(^|_)port$/.test(name));
  return new Set(ports.map(([, value]) => Number(value)));
}
