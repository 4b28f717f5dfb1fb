import { type Clock, type Emit, type Outcome, type ServiceInstance, SluiceError, wait } from "@sluice/core";
import { type ApplyContext, acceptable, reloadWith } from "./apply.ts";
import { type Decision, decide, type RouterMemory, seedSlots } from "./decide.ts";
import type { Timing } from "./options.ts";
import type { Backend, Rendered } from "./render.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Work extends ApplyContext {
  readonly memory: RouterMemory;
  readonly mostRemoved: number;
  readonly timing: Timing;
  readonly snapshot: Snapshot;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly state: {
    /** True once it is known what the balancer runs with. */
    begun: boolean;
    /** Problems that were told. */
    told: Set<string>;
    /** Services that were told to be held. */
    held: Set<string>;
    /** What the balancer refused, by the backend's text; it is not offered again as it is. */
    readonly refused: Map<string, string>;
    /** When the last reloads were, in milliseconds since the epoch. */
    reloads: number[];
    /** Since when the balancer serves what the catalog does not name. */
    missingSince: number | undefined;
  };
}

type Services = ReadonlyMap<string, readonly ServiceInstance[]>;

/** Reloads that are let through in a row. */
const BURST = 2;
const MOST_REFUSALS = 1_000;

/** One look: what is wanted, what is there, and the gentlest way between. Undefined: everything is as wanted. */
export async function lookAt(
  services: Services,
  work: Work,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { memory, timing, clock, mostRemoved } = work;
  const waiting = await begin(services, work, signal);
  if (waiting) return waiting;
  const decision = decide(services, memory, { ...timing, mostRemoved, now: clock.now() });
  tell(decision, work);
  const offered = decision.backends.filter((one) => !work.state.refused.has(textOf(one)));
  const outcome = await bringAbout(offered, work, signal);
  return outcome ?? untilNext(decision, work);
}

/** Takes over from a balancer that runs: its servers keep their places. */
async function begin(services: Services, work: Work, signal: AbortSignal): Promise<Outcome | undefined> {
  const { balancer, memory, state, timing, clock, emit } = work;
  if (state.begun) return undefined;
  const loaded = await balancer.loaded(signal);
  const running = loaded?.structure && balancer.readServers ? await balancer.readServers(signal) : new Map();
  const lost = [...running.keys()].filter((name) => !services.has(name) && !name.startsWith("sluice-"));
  if (lost.length > 0) {
    if (state.missingSince === undefined)
      for (const service of lost)
        emit({ type: "router.held", service, servers: running.get(service)?.length ?? 0 });
    state.missingSince ??= clock.now();
    const left = state.missingSince + timing.holdMs - clock.now();
    if (left > 0) return wait("Pending", "the balancer serves what the catalog does not name", left);
  }
  seedSlots(running, services, memory);
  state.begun = true;
  return undefined;
}

async function bringAbout(
  backends: readonly Backend[],
  work: Work,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { balancer, file, renderer, clock } = work;
  const startedAt = clock.now();
  const wanted = renderer.render(backends);
  const [there, loaded] = await Promise.all([file.read(), balancer.loaded(signal)]);
  const inPlace = there === wanted.text;
  const sameStructure = loaded?.structure === wanted.structure;
  if (inPlace && sameStructure) {
    const servers = (await balancer.applyServers?.(backends, signal)) ?? 0;
    if (servers > 0) changed(work, backends, false, startedAt);
    return undefined;
  }
  if (sameStructure && balancer.applyServers) return withoutReload(backends, wanted, work, startedAt, signal);
  const left = reloadDue(work);
  if (left > 0) return wait("Pending", "the load balancer was reloaded a moment ago", left);
  const accepted = await acceptable(backends, work, signal);
  for (const { backend, words } of accepted.refused) refuse(backend, words, work);
  if (!loaded) {
    await file.replace();
    throw new SluiceError("BALANCER_FAILED", "the load balancer does not run; its file is written", {
      hint: "Start it; the router then finds it by its sockets.",
    });
  }
  await reload(accepted.rendered, loaded.structure, work, signal);
  changed(work, accepted.backends, true, startedAt);
  return undefined;
}

/** Only servers came or went: the file is for the next start, the running balancer is told by its socket. */
async function withoutReload(
  backends: readonly Backend[],
  wanted: Rendered,
  work: Work,
  startedAt: number,
  signal: AbortSignal,
): Promise<undefined> {
  const { balancer, file } = work;
  await balancer.applyServers?.(backends, signal);
  const staged = await file.stage(wanted.text);
  const { refusal } = await balancer.check(staged, signal);
  if (refusal !== undefined)
    throw new SluiceError("BALANCER_FAILED", `the load balancer refuses: ${refusal}`);
  await file.replace();
  changed(work, backends, false, startedAt);
}

async function reload(
  rendered: Rendered,
  before: string | undefined,
  work: Work,
  signal: AbortSignal,
): Promise<void> {
  work.state.reloads = [...work.state.reloads, work.clock.now()].slice(-BURST);
  try {
    await reloadWith(rendered, before, work, signal);
  } catch (error) {
    if (!signal.aborted && error instanceof Error)
      work.emit({ type: "router.rolled-back", message: error.message });
    throw error;
  }
}

/** Milliseconds until a reload may be. */
function reloadDue({ state, timing, clock }: Work): number {
  const [oldest] = state.reloads;
  if (oldest === undefined || state.reloads.length < BURST) return 0;
  return oldest + BURST * timing.reloadMs - clock.now();
}

function refuse(backend: Backend, words: string, { state, emit }: Work): void {
  if (state.refused.size >= MOST_REFUSALS) state.refused.clear();
  state.refused.set(textOf(backend), words);
  emit({
    type: "router.left-out",
    message: `${backend.route.service}: the load balancer refuses it: ${words}`,
  });
}

/** What of a backend decides whether it is refused: everything but its servers. */
function textOf({ route }: Backend): string {
  return JSON.stringify(route);
}

function changed(
  { emit, clock }: Work,
  backends: readonly Backend[],
  reloaded: boolean,
  since: number,
): void {
  const servers = backends.flatMap(({ slots }) =>
    slots.filter(({ server, draining }) => server && !draining),
  );
  const ms = clock.now() - since;
  emit({ type: "router.changed", services: backends.length, servers: servers.length, reloaded, ms });
}

function tell({ problems, held }: Decision, { state, emit }: Work): void {
  for (const message of problems) if (!state.told.has(message)) emit({ type: "router.left-out", message });
  state.told = new Set(problems);
  for (const [service, servers] of held)
    if (!state.held.has(service)) emit({ type: "router.held", service, servers });
  state.held = new Set(held.keys());
}

/** Servers that drain or are held are looked at again when their time is over. */
function untilNext({ held }: Decision, { memory, timing, clock }: Work): Outcome | undefined {
  const now = clock.now();
  const ends = [...memory.draining.values()].map((since) => since + timing.drainMs);
  if (held.size > 0) ends.push(now + 1_000);
  if (ends.length === 0) return undefined;
  return wait("Progressing", "servers are being let go", Math.max(50, Math.min(...ends) - now));
}
