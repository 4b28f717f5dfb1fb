import { sanitisedPath } from "../ids.ts";
import { Refusal } from "../refusal.ts";
import { groupVersions, pastGroup } from "../root/past.ts";
import type { Group } from "../root/root-group.ts";
import type { Api } from "./api.ts";
import { appJson } from "./app-json.ts";
import { appView, embedsOf } from "./app-view.ts";
import { parseVersion } from "./apps-read.ts";
import { pastGroupView } from "./past-group-view.ts";
import { podStatus } from "./pod-status.ts";
import { type Answer, type ApiRequest, route } from "./router.ts";

export const groupReadRoutes = [
  route("GET", /^\/v2\/groups(?:\/+(.+))?\/+versions\/+([^/]+)\/*$/, showVersion),
  route("GET", /^\/v2\/groups(?:\/+(.+))?\/+versions\/*$/, listVersions),
  route("GET", /^\/v2\/groups(?:\/+(.+))?\/+apps\/*$/, listApps),
  route("GET", /^\/v2\/groups(?:\/+(.+?))?\/*$/, showGroup),
];

/** The group of a path. @throws Refusal 404. */
export function knownGroup(api: Api, path: string | undefined): Group {
  const id = sanitisedPath(path ?? "");
  const group = api.root.group(id);
  if (!group) throw groupNotFound(id);
  return group;
}

function groupNotFound(id: string, version?: string): Refusal {
  const where = version ? ` in version ${version}` : "";
  return new Refusal(404, { message: `Group '${id}' does not exist${where}` });
}

const PARTS = ["groups", "apps", "pods"] as const;
type Part = (typeof PARTS)[number];

/** Which lists of a group are filled; all when the query names none. */
function partsOf(query: URLSearchParams): ReadonlySet<Part> {
  const asked = new Set<Part>();
  for (const value of query.getAll("embed")) {
    const name = value.replace(/^group\./, "");
    for (const part of PARTS) if (name === part || name.startsWith(`${part}.`)) asked.add(part);
  }
  return asked.size > 0 ? asked : new Set(PARTS);
}

function showGroup({ params, query }: ApiRequest, api: Api): Answer {
  const embeds = embedsOf(query);
  const parts = partsOf(query);
  const view = (group: Group): Record<string, unknown> => {
    const members = [...group.apps].flatMap((id) => api.root.app(id) ?? []);
    const apps = parts.has("apps") ? members.filter((app) => !app.pod) : [];
    const pods = parts.has("pods") ? members.filter((app) => app.pod) : [];
    const groups = parts.has("groups") ? [...group.groups].flatMap((id) => api.root.group(id) ?? []) : [];
    return {
      id: group.path,
      apps: apps.map((app) => appView(api, app, embeds)),
      pods: pods.map((pod) => podStatus(api, pod)),
      groups: groups.map(view),
      dependencies: group.dependencies ?? [],
      version: group.version,
      ...(group.enforceRole !== undefined && { enforceRole: group.enforceRole }),
    };
  };
  return { status: 200, json: view(knownGroup(api, params[0])) };
}

function listApps({ params, query }: ApiRequest, api: Api): Answer {
  const group = knownGroup(api, params[0]);
  const embeds = embedsOf(query);
  const apps = api.root.under(group.path).filter((app) => !app.pod);
  return { status: 200, json: apps.map((app) => appView(api, app, embeds)) };
}

function listVersions({ params }: ApiRequest, api: Api): Answer {
  return { status: 200, json: groupVersions(api, knownGroup(api, params[0]).path) };
}

function showVersion({ params }: ApiRequest, api: Api): Answer {
  const path = sanitisedPath(params[0] ?? "");
  const version = parseVersion(params[1] ?? "");
  const past = pastGroup(api, path, version);
  if (!past) throw groupNotFound(path, version);
  const json = pastGroupView(path, version, past, (app) => appJson(api.profile, app));
  return { status: 200, json };
}
