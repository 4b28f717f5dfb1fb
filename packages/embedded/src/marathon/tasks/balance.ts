import { linkedAbort } from "../../process/linked-abort.ts";
import { current } from "./backoff.ts";
import { type Aim, counted, type FleetState } from "./fleet-state.ts";
import { endInstance, launch } from "./life.ts";
import { victims } from "./victims.ts";

/** Longest pause before a launch that nothing in particular holds back is tried again. */
const RETRY_MS = 5000;

/** Starts what is missing and ends what is too many. */
export function balance(fleet: FleetState): void {
  const { aim, context } = fleet;
  if (!aim || context.closing.aborted) return;
  const present = counted(fleet, aim);
  if (aim.of === "any")
    for (const one of victims(present, present.length - aim.count, aim.app.killSelection)) {
      one.goal = "Decommissioned";
      endInstance(fleet, one);
    }
  let missing = aim.count - present.length;
  while (missing > 0 && mayLaunch(fleet, aim)) {
    launch(fleet, aim.app);
    missing--;
  }
  if (missing > 0) return;
  fleet.waiting = undefined;
  context.waiting.delete(fleet.appId);
}

function mayLaunch(fleet: FleetState, { app }: Aim): boolean {
  const { clock, backend, resources } = fleet.context;
  const now = clock.now();
  const delay = current(app, fleet.delay, now);
  if (delay && delay.until > now) return wait(fleet, [], delay.until - now);
  const never = backend.refusal(app);
  if (never) return wait(fleet, [never], undefined);
  const reasons = resources.reserve(app, fleet.instances.size);
  return reasons.length === 0 || wait(fleet, reasons, RETRY_MS);
}

/** Notes why a launch waits, and looks again after `ms`. */
function wait(fleet: FleetState, reasons: string[], ms: number | undefined): false {
  const { clock, waiting } = fleet.context;
  waiting.add(fleet.appId);
  fleet.waiting = { since: fleet.waiting?.since ?? clock.now(), reasons };
  if (ms !== undefined) wakeAt(fleet, clock.now() + ms);
  return false;
}

function wakeAt(fleet: FleetState, at: number): void {
  if (fleet.timer && fleet.timer.at <= at) return;
  fleet.timer?.abort();
  const { clock, closing } = fleet.context;
  const timer = { ...linkedAbort([closing]), at };
  fleet.timer = timer;
  void clock.sleep(at - clock.now(), timer.signal).then(() => {
    timer.release();
    if (fleet.timer !== timer) return;
    fleet.timer = undefined;
    if (!closing.aborted) fleet.changed();
  });
}
