import { type Clock, type Emit, type Outcome, type ServiceInstance, SluiceError, wait } from "@sluice/core";
import { type ApplyContext, acceptable } from "./apply.ts";
import type { Loaded } from "./balancer/balancer.ts";
import { begin } from "./begin.ts";
import { type Decision, decide, type RouterMemory } from "./decide.ts";
import type { RouterOptions, Timing } from "./options.ts";
import { reload, reloadDue } from "./reload.ts";
import type { Backend, Rendered } from "./render.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Trust, trust } from "./trust.ts";

export interface Work extends ApplyContext {
  readonly memory: RouterMemory;
  readonly mostRemoved: number;
  readonly timing: Timing;
  readonly snapshot: Snapshot;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly looked: RouterOptions["looked"];
  /** Ports that are the balancer's own. */
  readonly reserved: ReadonlySet<number>;
  readonly state: {
    /** True once it is known what the balancer runs with. */
    begun: boolean;
    /** Problems that were told. */
    told: Set<string>;
    /** Services that were told to be held. */
    held: Set<string>;
    readonly trust: Trust;
    /** The structure that did not come to work last, told once. */
    rolledBack: string | undefined;
    /** When the last reloads were, in milliseconds since the epoch. */
    reloads: number[];
    /** Since when the balancer serves what the catalog does not name. */
    missingSince: number | undefined;
  };
}

export function firstState(): Work["state"] {
  return {
    begun: false,
    told: new Set(),
    held: new Set(),
    trust: trust(),
    rolledBack: undefined,
    reloads: [],
    missingSince: undefined,
  };
}

type Services = ReadonlyMap<string, readonly ServiceInstance[]>;

const SOON_MS = 50;

/** One look: what is wanted, what is there, and the gentlest way between. Undefined: everything is as wanted. */
export async function lookAt(
  services: Services,
  work: Work,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { memory, timing, clock, mostRemoved, reserved, state } = work;
  const waiting = await begin(services, work, signal);
  if (waiting) return waiting;
  const decision = decide(services, memory, { ...timing, mostRemoved, reserved, now: clock.now() });
  tell(decision, work);
  const offered = state.trust.offer(decision.backends, clock.now());
  const outcome = await bringAbout(offered, work, signal);
  if (outcome) return outcome;
  look(decision, work);
  state.trust.worked(offered);
  const heldBack = state.trust.offer(decision.backends, clock.now()).length > offered.length;
  return heldBack ? wait("Pending", "more routes are tried", SOON_MS) : untilNext(decision, work);
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
  if (loaded?.structure === wanted.structure && (inPlace || balancer.applyServers)) {
    const servers = (await balancer.applyServers?.(backends, signal)) ?? 0;
    if (!inPlace) await keepForNextStart(wanted, work, signal);
    if (servers > 0 || !inPlace) changed(work, backends, false, startedAt);
    return undefined;
  }
  await followServers(backends, loaded, work, signal);
  const left = loaded ? reloadDue(work) : 0;
  if (left > 0) return wait("Pending", "the load balancer was reloaded a moment ago", left);
  const { refused } = await acceptable(backends, work, signal);
  for (const { backend, words } of refused) refuse(backend, words, work);
  if (refused.length > 0) return wait("Pending", "the load balancer refuses some routes", SOON_MS);
  if (!loaded) {
    if (!inPlace) await file.replace();
    throw new SluiceError("BALANCER_FAILED", "the load balancer does not run; its file is written", {
      hint: "Start it; the router then finds it by its sockets.",
    });
  }
  await reload(backends, wanted, loaded, work, signal);
  changed(work, backends, true, startedAt);
  return undefined;
}

/** Only servers came or went, and the running balancer was told: the file is for its next start. */
async function keepForNextStart(
  wanted: Rendered,
  { balancer, file }: Work,
  signal: AbortSignal,
): Promise<void> {
  const staged = await file.stage(wanted.text);
  const { refusal } = await balancer.check(staged, signal);
  if (refusal !== undefined)
    throw new SluiceError("BALANCER_FAILED", `the load balancer refuses: ${refusal}`);
  await file.replace();
}

/** However long a reload has to wait, or fails: what is loaded already follows the catalog. */
async function followServers(
  backends: readonly Backend[],
  loaded: Loaded | undefined,
  { balancer }: Work,
  signal: AbortSignal,
): Promise<void> {
  if (!loaded?.structure || !balancer.applyServers || !balancer.readServers) return;
  const running = await balancer.readServers(signal);
  const there = backends.map(({ route, slots }) => {
    const names = new Set(running.get(route.name)?.map(({ name }) => name));
    return { route, slots: slots.filter(({ name }) => names.has(name)) };
  });
  await balancer.applyServers(there, signal);
}

function refuse(backend: Backend, words: string, { state, emit, clock }: Work): void {
  if (!state.trust.refuse(backend, clock.now())) return;
  const message = `${backend.route.service}: the load balancer refuses it: ${words}`;
  emit({ type: "router.left-out", message });
}

function look({ backends, held, problems }: Decision, { looked }: Work): void {
  looked?.({
    services: backends.length,
    servers: serversOf(backends),
    held: [...held.values()].reduce((sum, count) => sum + count, 0),
    leftOut: problems.length,
  });
}

function serversOf(backends: readonly Backend[]): number {
  const slots = backends.flatMap((backend) => backend.slots);
  return slots.filter(({ server, draining }) => server && !draining).length;
}

function changed(
  { emit, clock }: Work,
  backends: readonly Backend[],
  reloaded: boolean,
  since: number,
): void {
  const servers = serversOf(backends);
  const ms = clock.now() - since;
  emit({ type: "router.changed", services: backends.length, servers, reloaded, ms });
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
