import { versioned } from "../app/versioning.ts";
import type { Running } from "../deployment/deployments.ts";
import type { App, Change } from "../model.ts";
import { Refusal } from "../refusal.ts";
import type { Plan } from "../root/plan.ts";
import type { Api } from "./api.ts";
import { planAnswer } from "./apps-write.ts";
import { type Answer, type ApiRequest, flag, route } from "./router.ts";

export const deploymentRoutes = [
  route("GET", /^\/v2\/deployments\/*$/, (_, api) => ({
    status: 200,
    json: api.deployments.list().map((one) => deploymentView(api, one)),
  })),
  route("DELETE", /^\/v2\/deployments\/([^/]+)\/*$/, cancelDeployment),
];

function deploymentView(api: Api, { plan, currentStep }: Running): Record<string, unknown> {
  const current = plan.steps[currentStep - 1]?.actions ?? [];
  return {
    id: plan.id,
    version: plan.version,
    affectedApps: plan.changes.map((change) => change.id),
    affectedPods: [],
    steps: plan.steps,
    currentActions: current.map(({ action, app }) => ({
      action,
      app,
      readinessCheckResults: (api.fleets.get(app)?.instances() ?? []).flatMap((one) => one.readiness ?? []),
    })),
    currentStep,
    totalSteps: plan.steps.length,
  };
}

/** Forced: ends it where it stands. Otherwise a new, forced deployment restores what it changed. */
async function cancelDeployment(request: ApiRequest, api: Api): Promise<Answer> {
  const id = request.params[0] ?? "";
  const running = api.deployments.get(id);
  if (!running) throw new Refusal(404, { message: `DeploymentPlan ${id} does not exist` });
  if (flag(request, "force", false)) {
    api.deployments.cancel(id);
    return { status: 202 };
  }
  const plan = await api.updates.submit({
    force: true,
    groupId: "/",
    changes: (version) => reversal(api, running.plan, version),
  });
  return planAnswer(plan);
}

/** What leads back from a plan's target to its original; changes of others stay. */
function reversal(api: Api, plan: Plan, now: string): Change[] {
  return plan.changes.flatMap(({ id, from }): Change[] => {
    const current = api.root.app(id);
    if (!from) return current ? [{ id, from: current }] : [];
    const to = versioned(specOf(from), current, now);
    return [{ id, to, ...(current && { from: current }) }];
  });
}

function specOf(app: App) {
  const { version: _, versionInfo: __, ...spec } = app;
  return spec;
}
