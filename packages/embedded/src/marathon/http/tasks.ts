import { isRecord } from "../app/readers.ts";
import { specOf, versioned } from "../app/versioning.ts";
import { appIdOfTask, instanceIdOfTask, sanitisedPath } from "../ids.ts";
import type { Change } from "../model.ts";
import { Refusal } from "../refusal.ts";
import type { Instance } from "../tasks/instance.ts";
import type { Api } from "./api.ts";
import { taskView } from "./app-view.ts";
import { knownApp } from "./apps-read.ts";
import { planAnswer } from "./apps-write.ts";
import { type Answer, type ApiRequest, flag, route } from "./router.ts";
import { taskText, wantsText } from "./task-text.ts";

export const taskRoutes = [
  route("GET", /^\/v2\/tasks\/*$/, listTasks),
  route("POST", /^\/v2\/tasks\/delete\/*$/, killByIds),
  route("DELETE", /^\/v2\/apps\/(.+)\/tasks\/([^/]+)\/*$/, killOne),
  route("DELETE", /^\/v2\/apps\/(.+)\/tasks\/*$/, killAll),
];

const STATES: Record<string, string> = { running: "TASK_RUNNING", staging: "TASK_STAGING" };

function listTasks({ query, raw }: ApiRequest, api: Api): Answer {
  if (wantsText(raw.headers.accept)) return taskText([...api.root.apps()], api);
  const asked = [...query.getAll("status"), ...query.getAll("status[]")].map((status) => STATES[status]);
  const instances = [...api.fleets.all()].flatMap((fleet) => fleet.instances());
  const shown = instances.filter((one) => !one.app.pod && (asked.length === 0 || asked.includes(one.state)));
  return { status: 200, json: { tasks: shown.map((one) => taskView(api, one)) } };
}

async function killAll(request: ApiRequest, api: Api): Promise<Answer> {
  const app = knownApp(api, request.params[0]);
  const host = request.query.get("host");
  const instances = (api.fleets.get(app.id)?.instances() ?? []).filter(() => !host || host === api.host);
  return kill(request, api, instances, (views) => ({ tasks: views }));
}

async function killOne(request: ApiRequest, api: Api): Promise<Answer> {
  const [path, taskId = ""] = request.params;
  const app = knownApp(api, path);
  const found = api.fleets
    .get(app.id)
    ?.instances()
    .find((one) => isNamed(one, taskId));
  if (!found) throw new Refusal(404, { message: `Task '${taskId}' does not exist` });
  return kill(request, api, [found], ([view]) => ({ task: view }));
}

async function killByIds(request: ApiRequest, api: Api): Promise<Answer> {
  const body = await request.json();
  const ids = isRecord(body) && Array.isArray(body.ids) ? body.ids.map(String) : [];
  const instances = ids.flatMap((id) => {
    const appId = appIdOfTask(id);
    if (appId === undefined) throw new Refusal(400, { message: `Invalid task id '${id}'.` });
    return (
      api.fleets
        .get(sanitisedPath(appId))
        ?.instances()
        .filter((one) => !one.app.pod && isNamed(one, id)) ?? []
    );
  });
  return kill(request, api, instances, (views) => ({ tasks: views }));
}

/** A task is named by its own id or by its instance's. */
function isNamed(instance: Instance, id: string): boolean {
  return instance.taskId === id || instance.id === instanceIdOfTask(id);
}

async function kill(
  request: ApiRequest,
  api: Api,
  instances: Instance[],
  shown: (views: Record<string, unknown>[]) => Record<string, unknown>,
): Promise<Answer> {
  const scale = flag(request, "scale", false);
  const wipe = flag(request, "wipe", false);
  if (scale && wipe) throw new Refusal(400, { message: "You cannot use scale and wipe at the same time." });
  if (scale) return killAndScale(api, instances, flag(request, "force", false));
  const views = instances.map((one) => taskView(api, one));
  for (const one of instances) api.fleets.get(one.app.id)?.kill(one, { replace: !wipe });
  return { status: 200, json: shown(views) };
}

/** Kills instances and lowers their apps' `instances` by as many: a deployment. */
async function killAndScale(api: Api, instances: Instance[], force: boolean): Promise<Answer> {
  const sentenced = new Map<string, string[]>();
  for (const { app, id } of instances) sentenced.set(app.id, [...(sentenced.get(app.id) ?? []), id]);
  const plan = await api.updates.submit({
    force,
    groupId: "/",
    sentenced,
    edit: (version) => ({
      apps: [...sentenced].flatMap(([appId, ids]): Change[] => {
        const from = api.root.app(appId);
        if (!from) return [];
        const instances = Math.max(0, from.instances - ids.length);
        return [{ id: appId, from, to: versioned({ ...specOf(from), instances }, from, version) }];
      }),
      groups: [],
    }),
  });
  return planAnswer(plan);
}
