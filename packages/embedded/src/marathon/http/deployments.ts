import type { Running } from "../deployment/deployments.ts";
import { Refusal } from "../refusal.ts";
import { subjectOf } from "../root/plan.ts";
import { reversal } from "../root/reversal.ts";
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
  const affected = plan.changes;
  const current = plan.steps[currentStep - 1]?.actions ?? [];
  return {
    id: plan.id,
    version: plan.version,
    affectedApps: affected.filter(({ to, from }) => !(to ?? from)?.pod).map(({ id }) => id),
    affectedPods: affected.filter(({ to, from }) => (to ?? from)?.pod).map(({ id }) => id),
    steps: plan.steps,
    currentActions: current.map((action) => ({
      ...action,
      readinessCheckResults: (api.fleets.get(subjectOf(action))?.instances() ?? []).flatMap(
        (one) => one.readiness ?? [],
      ),
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
    edit: (version) => reversal(api.root, running.plan, version),
  });
  return planAnswer(plan);
}
