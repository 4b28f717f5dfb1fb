import { isRecord } from "../app/readers.ts";
import { versioned } from "../app/versioning.ts";
import { absolutePath, parentPath, sanitisedPath } from "../ids.ts";
import type { App, Change } from "../model.ts";
import { podJson, podSpec } from "../pod/pod-app.ts";
import { readSentPod } from "../pod/pod-shape.ts";
import { notValid, Refusal } from "../refusal.ts";
import type { Plan } from "../root/plan.ts";
import type { Instance } from "../tasks/instance.ts";
import type { Api } from "./api.ts";
import { parseVersion } from "./apps-read.ts";
import { instanceStatus, podStatus } from "./pod-status.ts";
import { type Answer, type ApiRequest, flag, route } from "./router.ts";

const ALL = /^\/v2\/pods\/*$/;
const ONE = /^\/v2\/pods\/(.+?)\/*$/;

export const podRoutes = [
  route("HEAD", ALL, () => ({ status: 200 })),
  route("GET", ALL, (_, api) => ({ status: 200, json: podsOf(api).map(podJson) })),
  route("POST", ALL, createPod),
  route("GET", /^\/v2\/pods\/+::status$/, (_, api) => ({
    status: 200,
    json: podsOf(api).map((pod) => podStatus(api, pod)),
  })),
  route("GET", /^\/v2\/pods\/(.+)::status$/, ({ params }, api) => ({
    status: 200,
    json: podStatus(api, knownPod(api, params[0])),
  })),
  route("GET", /^\/v2\/pods\/(.+)::versions\/([^/]+)$/, showVersion),
  route("GET", /^\/v2\/pods\/(.+)::versions$/, ({ params }, api) => ({
    status: 200,
    json: api.store.versions(knownPod(api, params[0]).id),
  })),
  route("DELETE", /^\/v2\/pods\/(.+)::instances\/(.+)$/, killInstance),
  route("DELETE", /^\/v2\/pods\/(.+)::instances$/, killInstances),
  route("GET", ONE, ({ params }, api) => ({ status: 200, json: podJson(knownPod(api, params[0])) })),
  route("PUT", ONE, putPod),
  route("DELETE", ONE, deletePod),
];

function podsOf(api: Api): App[] {
  return [...api.root.apps()].filter((app) => app.pod);
}

/** @throws Refusal 404, whose message is itself JSON, as Marathon's is. */
function knownPod(api: Api, path: string | undefined): App {
  const id = sanitisedPath(path ?? "");
  const app = api.root.app(id);
  if (!app?.pod) throw podNotFound(id);
  return app;
}

function podNotFound(id: string, version?: string): Refusal {
  const where = version ? ` in version ${version}` : "";
  const message = JSON.stringify({ message: `Pod '${id}' does not exist${where}` });
  return new Refusal(404, { message });
}

async function createPod(request: ApiRequest, api: Api): Promise<Answer> {
  const spec = podSpec(await sentPod(request, api), api.profile);
  const { id } = spec;
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: parentPath(id),
    edit(version) {
      if (api.root.app(id)?.pod) throw new Refusal(409, { message: `A pod with id [${id}] already exists.` });
      return { apps: [changeOfPod(api, spec, version)], groups: [] };
    },
    accepted: () => tell(api, request, "pod_created_event"),
  });
  return podAnswer(api, id, plan, 201, { Location: `http://${api.address()}/v2/pods${id}` });
}

async function putPod(request: ApiRequest, api: Api): Promise<Answer> {
  const id = sanitisedPath(request.params[0] ?? "");
  const sent = await sentPod(request, api);
  if (absolutePath(sent.id) !== id)
    throw new Refusal(400, { message: `'${absolutePath(sent.id)}' does not match '${id}' in URL` });
  const spec = podSpec(sent, api.profile);
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: parentPath(id),
    edit: (version) => ({ apps: [changeOfPod(api, spec, version)], groups: [] }),
    accepted: () => tell(api, request, "pod_updated_event"),
  });
  return podAnswer(api, id, plan, 200);
}

async function deletePod(request: ApiRequest, api: Api): Promise<Answer> {
  const { id } = knownPod(api, request.params[0]);
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: parentPath(id),
    edit: () => ({ apps: [{ id, from: knownPod(api, id) }], groups: [] }),
    accepted: () => tell(api, request, "pod_deleted_event"),
  });
  return { status: 202, headers: { Location: plan.id, "Marathon-Deployment-Id": plan.id } };
}

async function sentPod(request: ApiRequest, api: Api) {
  const { shapeErrorStatus: status, maxLaunchDelaySeconds: maxLaunchDelay } = api.profile;
  return readSentPod(await request.json(), { status, maxLaunchDelay });
}

/** @throws Refusal 422 when an app has the id. */
function changeOfPod(api: Api, spec: ReturnType<typeof podSpec>, version: string): Change {
  const from = api.root.app(spec.id);
  if (from && !from.pod)
    throw notValid([{ path: "/", errors: ["Applications and Pods may not share the same id"] }]);
  return { id: spec.id, to: versioned(spec, from, version), ...(from && { from }) };
}

function podAnswer(
  api: Api,
  id: string,
  plan: Plan,
  status: number,
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    json: podJson(knownPod(api, id)),
    headers: { ...headers, "Marathon-Deployment-Id": plan.id },
  };
}

function tell(api: Api, { clientIp, url: uri }: ApiRequest, eventType: string): void {
  api.events.emit(eventType, { clientIp, uri });
}

function showVersion({ params }: ApiRequest, api: Api): Answer {
  const id = sanitisedPath(params[0] ?? "");
  const version = parseVersion(params[1] ?? "");
  const app = api.store.version(id, version);
  if (!app?.pod) throw podNotFound(id, version);
  return { status: 200, json: podJson(app) };
}

async function killInstances(request: ApiRequest, api: Api): Promise<Answer> {
  const pod = knownPod(api, request.params[0]);
  const ids = await request.json();
  const named = Array.isArray(ids) && !isRecord(ids) ? ids.map(String) : [];
  return { status: 200, json: kill(request, api, pod, named) };
}

function killInstance(request: ApiRequest, api: Api): Answer {
  const pod = knownPod(api, request.params[0]);
  const id = request.params[1] ?? "";
  const [killed] = kill(request, api, pod, [id]);
  if (!killed) throw new Refusal(404, { message: `Instance '${id}' does not exist` });
  return { status: 200, json: killed };
}

/** @returns the killed instances as they were. */
function kill(request: ApiRequest, api: Api, pod: App, ids: readonly string[]) {
  const fleet = api.fleets.get(pod.id);
  const found: Instance[] = (fleet?.instances() ?? []).filter((one) => ids.includes(one.id));
  const shown = found.map((one) => instanceStatus(api, one));
  for (const one of found) fleet?.kill(one, { replace: !flag(request, "wipe", false) });
  return shown;
}
