import type { Spec } from "../app/complete.ts";
import { isRecord } from "../app/readers.ts";
import { versioned } from "../app/versioning.ts";
import { parentPath, sanitisedPath } from "../ids.ts";
import type { Change } from "../model.ts";
import { Refusal, wrongShape } from "../refusal.ts";
import type { Plan } from "../root/plan.ts";
import type { Api } from "./api.ts";
import { changeOf, idOf, readBody, type Writing, wholeApp } from "./app-changes.ts";
import { appJson } from "./app-json.ts";
import { countsOf } from "./app-view.ts";
import { knownApp } from "./apps-read.ts";
import { type Answer, type ApiRequest, flag, route } from "./router.ts";

export const appWriteRoutes = [
  route("POST", /^\/v2\/apps\/*$/, createApp),
  route("PUT", /^\/v2\/apps\/*$/, (request, api) =>
    putMany(request, api, { partial: flag(request, "partialUpdate", true), creates: true }),
  ),
  route("PATCH", /^\/v2\/apps\/*$/, (request, api) =>
    putMany(request, api, { partial: true, creates: false }),
  ),
  route("POST", /^\/v2\/apps\/(.+)\/restart\/*$/, restartApp),
  route("PUT", /^\/v2\/apps\/(.+)$/, (request, api) =>
    putOne(request, api, { partial: flag(request, "partialUpdate", true), creates: true }),
  ),
  route("PATCH", /^\/v2\/apps\/(.+)$/, (request, api) =>
    putOne(request, api, { partial: true, creates: false }),
  ),
  route("DELETE", /^\/v2\/apps\/(.+)$/, deleteApp),
];

/** The answer to a write that made a plan. */
export function planAnswer(plan: Plan, status = 200, headers: Record<string, string> = {}): Answer {
  return {
    status,
    json: { version: plan.version, deploymentId: plan.id },
    headers: { ...headers, "Marathon-Deployment-Id": plan.id },
  };
}

async function createApp(request: ApiRequest, api: Api): Promise<Answer> {
  const sent = readBody(api, await request.json());
  const spec = wholeApp(api, idOf(api, sent), sent);
  const { id } = spec;
  let changes: Change[] = [];
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: parentPath(id),
    edit(version) {
      if (api.root.app(id)) throw new Refusal(409, { message: `An app with id [${id}] already exists.` });
      changes = [{ id, to: versioned(api.ports.assign(spec, undefined), undefined, version) }];
      return { apps: changes, groups: [] };
    },
    accepted: () => announce(api, request, changes),
  });
  return {
    status: 201,
    // As in Marathon, ports that the server assigned are still 0 in this one answer.
    json: {
      ...appJson(api.profile, spec),
      version: plan.version,
      deployments: [{ id: plan.id }],
      ...countsOf([]),
    },
    headers: { Location: locationOf(api, id), "Marathon-Deployment-Id": plan.id },
  };
}

async function putOne(request: ApiRequest, api: Api, writing: Writing): Promise<Answer> {
  const id = sanitisedPath(request.params[0] ?? "");
  const sent = readBody(api, await request.json());
  let changes: Change[] = [];
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: parentPath(id),
    edit(version) {
      changes = [changeOf(api, id, sent, writing, version)];
      return { apps: changes, groups: [] };
    },
    accepted: () => announce(api, request, changes),
  });
  return changes[0]?.from ? planAnswer(plan) : planAnswer(plan, 201, { Location: locationOf(api, id) });
}

async function putMany(request: ApiRequest, api: Api, writing: Writing): Promise<Answer> {
  const body = await request.json();
  if (!Array.isArray(body))
    throw wrongShape(api.profile.shapeErrorStatus, [{ path: "/", errors: ["error.expected.jsarray"] }]);
  const sent = body.map((one, index) => inPlace(index, () => readBody(api, one)));
  const ids = sent.map((one, index) => inPlace(index, () => idOf(api, one)));
  let changes: Change[] = [];
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: "/",
    edit(version) {
      changes = sent.map((one, index) =>
        inPlace(index, () => changeOf(api, ids[index] ?? "/", one, writing, version)),
      );
      return { apps: changes, groups: [] };
    },
    accepted: () => announce(api, request, changes),
  });
  return planAnswer(plan);
}

/** Violations of an item of a list are told with its place: `(2)/cmd`. */
function inPlace<Result>(index: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal) || !Array.isArray(error.body.details)) throw error;
    const details = error.body.details.filter(isRecord);
    const placed = details.map((one) => ({ ...one, path: `/(${index})${one.path === "/" ? "" : one.path}` }));
    throw new Refusal(error.status, { message: error.message, details: placed });
  }
}

async function restartApp(request: ApiRequest, api: Api): Promise<Answer> {
  const { id } = knownApp(api, request.params[0]);
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: parentPath(id),
    edit(version) {
      const from = knownApp(api, id);
      const versionInfo = { ...from.versionInfo, lastConfigChangeAt: version };
      return { apps: [{ id, from, to: { ...from, version, versionInfo } }], groups: [] };
    },
  });
  return planAnswer(plan);
}

async function deleteApp(request: ApiRequest, api: Api): Promise<Answer> {
  const { id } = knownApp(api, request.params[0]);
  const plan = await api.updates.submit({
    // The one write that forces unless told otherwise.
    force: flag(request, "force", true),
    groupId: parentPath(id),
    edit: () => ({ apps: [{ id, from: knownApp(api, id) }], groups: [] }),
  });
  return planAnswer(plan);
}

function announce(api: Api, request: ApiRequest, changes: readonly Change[]): void {
  for (const { to } of changes)
    if (to)
      api.events.emit("api_post_event", {
        clientIp: request.clientIp,
        uri: request.url,
        appDefinition: appJson(api.profile, to),
      });
}

function locationOf(api: Api, id: Spec["id"]): string {
  return `http://${api.address()}/v2/apps${id}`;
}
