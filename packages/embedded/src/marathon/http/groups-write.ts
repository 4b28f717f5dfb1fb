import { knownTo, readApp } from "../app/app-shape.ts";
import { bool, list, num, object, type Reader, text } from "../app/readers.ts";
import { absolutePath, isPathSpelling, parentPath, sanitisedPath } from "../ids.ts";
import type { Edit } from "../model.ts";
import { notValid, Refusal, type Violation, wrongShape } from "../refusal.ts";
import { pastEdit, removalEdit, type SentGroup, scaleEdit, structureEdit } from "../root/group-update.ts";
import { pastGroup } from "../root/past.ts";
import { factsOf } from "../root/root-group.ts";
import type { Api } from "./api.ts";
import { changeOf } from "./app-changes.ts";
import { parseVersion } from "./apps-read.ts";
import { planAnswer } from "./apps-write.ts";
import { knownGroup } from "./groups-read.ts";
import { type Answer, type ApiRequest, flag, route } from "./router.ts";

const PATH = /^\/v2\/groups(?:\/+(.+?))?\/*$/;

export const groupWriteRoutes = [
  route("POST", PATH, createGroup),
  route("PUT", PATH, putGroup),
  route("PATCH", PATH, patchGroup),
  route("DELETE", PATH, deleteGroup),
];

const path = text({ matches: isPathSpelling });

const readGroup: Reader = object({
  id: path,
  apps: list(readApp),
  groups: list((value, place) => readGroup(value, place)),
  dependencies: list(path),
  scaleBy: num(0),
  version: text(),
  enforceRole: bool,
});

/** @throws Refusal */
async function bodyOf(request: ApiRequest, api: Api): Promise<SentGroup> {
  const found: Violation[] = [];
  const group = readGroup(await request.json(), { path: "", found });
  if (found.length > 0) throw wrongShape(api.profile.shapeErrorStatus, found);
  return group as SentGroup;
}

/** The group that is meant: the body's id counts from the path of the URL. */
function meant(request: ApiRequest, sent: SentGroup): string {
  const base = sanitisedPath(request.params[0] ?? "");
  return sent.id === undefined ? base : absolutePath(sent.id, base);
}

async function createGroup(request: ApiRequest, api: Api): Promise<Answer> {
  const sent = await bodyOf(request, api);
  const id = meant(request, sent);
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: id,
    edit(version) {
      if (api.root.isGroup(id))
        throw new Refusal(409, { message: `Group ${id} is already created. Use PUT to change this group.` });
      if (api.root.app(id)) throw new Refusal(409, { message: `An app with the path ${id} already exists.` });
      return editOf(api, id, sent, version);
    },
  });
  return planAnswer(plan, 201, { Location: `http://${api.address()}/v2/groups${id}` });
}

async function putGroup(request: ApiRequest, api: Api): Promise<Answer> {
  const sent = await bodyOf(request, api);
  const id = meant(request, sent);
  const edit = (version: string) => editOf(api, id, sent, version);
  if (flag(request, "dryRun", false))
    return { status: 200, json: { steps: api.updates.preview({ edit }).steps } };
  return planAnswer(await api.updates.submit({ force: flag(request, "force", false), groupId: id, edit }));
}

/** From 1.9, and only for `enforceRole` of a top-level group. Nothing is deployed. */
async function patchGroup(request: ApiRequest, api: Api): Promise<Answer> {
  if (!api.profile.role) throw new Refusal(405, { message: "Method Not Allowed" });
  const { path: id } = knownGroup(api, request.params[0]);
  const { enforceRole } = await bodyOf(request, api);
  if (id === "/" || parentPath(id) !== "/")
    throw notValid([{ path: "/", errors: ["Path needs to be top-level"] }]);
  await api.updates.submit({
    force: false,
    groupId: id,
    edit() {
      const from = factsOf(knownGroup(api, id));
      return {
        apps: [],
        groups: [{ path: id, from, to: { ...from, ...(enforceRole !== undefined && { enforceRole }) } }],
      };
    },
  });
  return { status: 200 };
}

async function deleteGroup(request: ApiRequest, api: Api): Promise<Answer> {
  const { path: id } = knownGroup(api, request.params[0]);
  const plan = await api.updates.submit({
    force: flag(request, "force", false),
    groupId: parentPath(id),
    edit: () => removalEdit(api.root, knownGroup(api, id).path),
  });
  return planAnswer(plan);
}

/** The one of its three modes that a body asks for. @throws Refusal 422. */
function editOf(api: Api, id: string, sent: SentGroup, now: string): Edit {
  const isAlone = Object.keys(sent).length === 1;
  for (const key of ["version", "scaleBy"] as const)
    if (sent[key] !== undefined && !isAlone)
      throw notValid([{ path: `/${key}`, errors: ["not allowed in conjunction with other properties."] }]);
  if (sent.scaleBy !== undefined) return scaleEdit(api.root, knownGroup(api, id).path, sent.scaleBy, now);
  if (sent.version !== undefined) return rollback(api, id, sent.version, now);
  return structureEdit(api.root, id, sent, (appId, app) =>
    changeOf(api, appId, knownTo(api.profile, app), { partial: false, creates: true }, now),
  );
}

function rollback(api: Api, id: string, sent: string, now: string): Edit {
  const version = parseVersion(sent);
  const past = pastGroup(api, id, version);
  if (!past) throw new Refusal(422, { message: `Group ${id} not available in version ${version}` });
  return pastEdit(api.root, id, past, now);
}
