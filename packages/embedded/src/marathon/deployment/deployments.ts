import { setMaxListeners } from "node:events";
import { type LinkedAbort, linkedAbort } from "../../process/linked-abort.ts";
import type { EventBus } from "../events.ts";
import type { App, Change } from "../model.ts";
import { type Action, type Plan, subjectOf } from "../root/plan.ts";
import type { Fleets } from "../tasks/fleets.ts";
import { restartFleet, scaleFleet, stopFleet } from "./actions.ts";
import type { PlanEvents } from "./plan-events.ts";

export interface DeploymentsOptions {
  fleets: Fleets;
  events: EventBus;
  told: PlanEvents;
  /** The app as it is wanted now. */
  wanted: (appId: string) => App | undefined;
  /** Called when a deployment is over, in whatever way. */
  over: (id: string) => void;
  closing: AbortSignal;
}

/** A deployment under way. */
export interface Running {
  plan: Plan;
  /** From 1; 0 before the first step. */
  currentStep: number;
}

/** Carries out plans: steps in turn, the actions of a step all at once. */
export interface Deployments {
  list(): Running[];
  get(id: string): Running | undefined;
  /** The deployment that works on an app. */
  of(appId: string): string | undefined;
  /** Deployments that work on any of the apps. */
  lockers(appIds: readonly string[]): string[];
  /** Locks the apps at once, and carries the plan out. */
  begin(plan: Plan, how?: Beginning): void;
  /** Ends a deployment where it stands. Its apps are then kept as they are wanted, but for those of `except`. */
  cancel(id: string, except?: ReadonlySet<string>): void;
}

export interface Beginning {
  /** Instances to kill, by app. */
  sentenced?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Nothing is done before this resolves; when it rejects, nothing at all. */
  after?: Promise<unknown>;
}

interface State extends Running, Beginning {
  cancelled: LinkedAbort;
  changes: ReadonlyMap<string, Change>;
}

export function createDeployments(options: DeploymentsOptions): Deployments {
  const running = new Map<string, State>();
  const byApp = new Map<string, string>();
  const { told } = options;

  function end(state: State): void {
    running.delete(state.plan.id);
    state.cancelled.release();
    for (const { id } of state.plan.changes) if (byApp.get(id) === state.plan.id) byApp.delete(id);
    options.over(state.plan.id);
  }

  async function carryOut(state: State): Promise<void> {
    const { signal } = state.cancelled;
    setMaxListeners(0, signal);
    if (signal.aborted) return;
    for (const [index, step] of state.plan.steps.entries()) {
      state.currentStep = index + 1;
      told.stepBegun(state.plan, step);
      await Promise.all(step.actions.map((action) => perform(options, state, action, signal)));
      if (signal.aborted) return;
      told.stepDone(state.plan, step);
    }
    end(state);
    told.succeeded(state.plan);
  }

  return {
    list: () => [...running.values()],
    get: (id) => running.get(id),
    of: (appId) => byApp.get(appId),
    lockers: (appIds) => [...new Set(appIds.flatMap((id) => byApp.get(id) ?? []))],
    begin(plan, how = {}) {
      const changes = new Map(plan.changes.map((change) => [change.id, change]));
      const state: State = {
        ...how,
        plan,
        changes,
        currentStep: 0,
        cancelled: linkedAbort([options.closing]),
      };
      if (plan.steps.length > 0) {
        running.set(plan.id, state);
        for (const { id } of plan.changes) byApp.set(id, plan.id);
      }
      const { after = Promise.resolve() } = state;
      after.then(
        () => carryOut(state),
        () => end(state),
      );
    },
    cancel(id, except = new Set()) {
      const state = running.get(id);
      if (!state) return;
      end(state);
      state.cancelled.abort();
      told.failed(state.plan, "The upgrade has been cancelled");
      for (const change of state.plan.changes) if (!except.has(change.id)) keep(options, change);
    },
  };
}

async function perform(
  { fleets, events }: DeploymentsOptions,
  state: State,
  action: Action,
  signal: AbortSignal,
): Promise<void> {
  const appId = subjectOf(action);
  const verb = action.action.replace(/Application|Pod/, "");
  const { from, to } = state.changes.get(appId) ?? {};
  if (verb === "Stop" && from) {
    await stopFleet(fleets.of(appId), from, signal);
    if (signal.aborted) return;
    fleets.drop(appId);
    events.emit("app_terminated_event", { appId });
  }
  if (verb === "Scale" && to)
    await scaleFleet(fleets.of(appId), to, state.sentenced?.get(appId) ?? [], signal);
  if (verb === "Restart" && to) await restartFleet(fleets.of(appId), to, signal);
}

/** What becomes of an app whose deployment was cancelled: it is kept at its wanted number, whatever runs of it. */
function keep({ fleets, wanted }: DeploymentsOptions, { id, from }: Change): void {
  const app = wanted(id);
  if (app) fleets.of(id).aim({ app, count: app.instances, of: "any" });
  else if (from) fleets.get(id)?.aim({ app: from, count: 0, of: "any" });
}
