import { reloadWith } from "./apply.ts";
import type { Loaded } from "./balancer/balancer.ts";
import type { Work } from "./pass.ts";
import type { Backend, Rendered } from "./render.ts";

/** Reloads that are let through in a row. */
const BURST = 2;

/** Reloads; what does not come to work is undone, and whatever is new in it is suspected. */
export async function reload(
  backends: readonly Backend[],
  wanted: Rendered,
  { structure }: Loaded,
  work: Work,
  signal: AbortSignal,
): Promise<void> {
  const { state, clock, emit } = work;
  state.reloads = [...state.reloads, clock.now()].slice(-BURST);
  try {
    await reloadWith(wanted, structure, work, signal);
    state.rolledBack = undefined;
  } catch (error) {
    if (signal.aborted || !(error instanceof Error)) throw error;
    if (state.rolledBack !== wanted.structure) emit({ type: "router.rolled-back", message: error.message });
    state.rolledBack = wanted.structure;
    const guilty = state.trust.failed(backends, clock.now());
    if (guilty)
      emit({
        type: "router.left-out",
        message: `${guilty.route.service}: the load balancer does not come to work with it`,
      });
    throw error;
  }
}

/** Milliseconds until a reload may be. */
export function reloadDue({ state, timing, clock }: Work): number {
  const [oldest] = state.reloads;
  if (oldest === undefined || state.reloads.length < BURST) return 0;
  return oldest + BURST * timing.reloadMs - clock.now();
}
