import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { sanitisedPath } from "../ids.ts";
import { type App, timestamp } from "../model.ts";
import { appNotFound, Refusal } from "../refusal.ts";
import type { Api } from "./api.ts";
import { appJson } from "./app-json.ts";
import { appView, type Embed, embedsOf, taskView } from "./app-view.ts";
import { labelSelector } from "./label-selector.ts";
import { type Answer, type ApiRequest, route } from "./router.ts";
import { taskText, wantsText } from "./task-text.ts";

/** Apps written between two looks at the client's pace. */
const BATCH = 200;

export const appReadRoutes = [
  route("GET", /^\/v2\/apps\/*$/, listApps),
  route("GET", /^\/v2\/apps\/(.+)\/versions\/([^/]+)\/*$/, showVersion),
  route("GET", /^\/v2\/apps\/(.+)\/versions\/*$/, listVersions),
  route("GET", /^\/v2\/apps\/(.+)\/tasks\/*$/, listTasks),
  route("GET", /^\/v2\/apps\/(.+)$/, showApp),
];

/** The app of a path. @throws Refusal 404. */
export function knownApp(api: Api, path: string | undefined): App {
  const id = sanitisedPath(path ?? "");
  const app = api.root.app(id);
  if (!app || app.pod) throw appNotFound(id);
  return app;
}

function listApps({ query }: ApiRequest, api: Api): Answer {
  const embeds = embedsOf(query).add("counts").add("deployments");
  const cmd = query.get("cmd")?.toLowerCase();
  const id = query.get("id")?.toLowerCase();
  const label = query.get("label");
  const selects = label ? labelSelector(label) : () => true;
  const apps = [...api.root.apps()].filter(
    (app) =>
      !app.pod &&
      (!cmd || app.cmd?.toLowerCase().includes(cmd)) &&
      (!id || app.id.toLowerCase().includes(id)) &&
      selects(app.labels),
  );
  return {
    status: 200,
    headers: { "Content-Type": "application/json" },
    stream: (response) => streamApps(response, api, apps, embeds),
  };
}

/** Writes a list of any length at the client's pace, other requests being served in between. */
async function streamApps(
  response: ServerResponse,
  api: Api,
  apps: App[],
  embeds: ReadonlySet<Embed>,
): Promise<void> {
  const closed = new AbortController();
  response.once("close", () => closed.abort());
  response.write('{"apps":[');
  for (let start = 0; start < apps.length && !response.destroyed; start += BATCH) {
    const batch = apps.slice(start, start + BATCH).map((app) => JSON.stringify(appView(api, app, embeds)));
    const more = response.write(`${start > 0 ? "," : ""}${batch.join(",")}`);
    if (!more) await once(response, "drain", { signal: closed.signal }).catch(() => undefined);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  response.end("]}");
}

function showApp({ params, query }: ApiRequest, api: Api): Answer {
  const embeds = embedsOf(query);
  for (const one of ["tasks", "counts", "deployments", "lastTaskFailure"] as const) embeds.add(one);
  const group = subtree(api, params[0]);
  if (group) return { status: 200, json: { "*": group.map((app) => appView(api, app, embeds)) } };
  return { status: 200, json: { app: appView(api, knownApp(api, params[0]), embeds) } };
}

/** For a path that ends in `/*`, the apps below it. @throws Refusal 404 when there is no such group. */
function subtree(api: Api, path = ""): App[] | undefined {
  if (path !== "*" && !path.endsWith("/*")) return undefined;
  const id = sanitisedPath(path.slice(0, -1));
  if (!api.root.isGroup(id)) throw new Refusal(404, { message: `Group '${id}' does not exist` });
  return api.root.under(id).filter((app) => !app.pod);
}

function listVersions({ params }: ApiRequest, api: Api): Answer {
  return { status: 200, json: { versions: api.store.versions(knownApp(api, params[0]).id) } };
}

function showVersion({ params, query: _ }: ApiRequest, api: Api): Answer {
  const id = sanitisedPath(params[0] ?? "");
  const version = parseVersion(params[1] ?? "");
  const app = api.store.version(id, version);
  if (!app || app.pod) throw appNotFound(id, version);
  return { status: 200, json: appJson(api.profile, app) };
}

/** Marathon's form of a timestamp. @throws Refusal 422 when it is none. */
export function parseVersion(text: string): string {
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new Refusal(422, { message: `Invalid format: "${text}"` });
  return timestamp(ms);
}

function listTasks({ params, raw }: ApiRequest, api: Api): Answer {
  const apps = subtree(api, params[0]) ?? [knownApp(api, params[0])];
  if (wantsText(raw.headers.accept)) return taskText(apps, api);
  const instances = apps.flatMap((app) => api.fleets.get(app.id)?.instances() ?? []);
  return { status: 200, json: { tasks: instances.map((one) => taskView(api, one)) } };
}
