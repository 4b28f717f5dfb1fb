import type { EventBus, MarathonEvent } from "../events.ts";
import { appJson } from "../http/app-json.ts";
import type { App } from "../model.ts";
import type { Profile } from "../profiles.ts";
import type { Plan, Step } from "../root/plan.ts";

/** Tells subscribers how a plan goes. */
export interface PlanEvents {
  stepBegun(plan: Plan, step: Step): void;
  stepDone(plan: Plan, step: Step): void;
  succeeded(plan: Plan): void;
  /** Also for a plan that was refused and never began. */
  failed(plan: Plan, reason: string): void;
}

export function planEvents(events: EventBus, profile: Profile): PlanEvents {
  const shown = (plan: Plan) => planJson(plan, profile);
  const stepFields = (plan: Plan, step: Step) => ({ plan: shown(plan), currentStep: step });
  return {
    stepBegun: (plan, step) => events.emit("deployment_info", () => stepFields(plan, step)),
    stepDone: (plan, step) => events.emit("deployment_step_success", () => stepFields(plan, step)),
    succeeded: (plan) => events.emit("deployment_success", () => ({ id: plan.id, plan: shown(plan) })),
    failed: (plan, reason) =>
      events.emit("deployment_failed", () => ({
        id: plan.id,
        plan: shown(plan),
        ...(profile.failureReason && { reason }),
      })),
  };
}

/** An event without the apps of its plan, for subscribers who ask for that. */
export function withLightPlan(event: MarathonEvent): MarathonEvent {
  if (typeof event.plan !== "object" || event.plan === null) return event;
  const { original: _, target: __, ...plan } = event.plan as Record<string, unknown>;
  return { ...event, plan };
}

/**
 * Older versions send the whole root group before and after with every event. Here both hold only what the plan is
 * about, all of it in the root.
 */
function planJson({ id, version, steps, changes }: Plan, profile: Profile): Record<string, unknown> {
  if (profile.planFormat === "light") return { id, version, steps };
  const group = (apps: readonly App[]) => ({
    id: "/",
    apps: apps.filter((app) => !app.pod).map((app) => appJson(profile, app)),
    groups: [],
    pods: [],
    dependencies: [],
    version,
  });
  const original = group(changes.flatMap((change) => change.from ?? []));
  const target = group(changes.flatMap((change) => change.to ?? []));
  return { id, original, target, steps, version };
}
