import { isJsonObject, type JobId, type Json, type JsonObject, jobId, suggest } from "@sluice/core";
import type { Complaint } from "../format/complaint.ts";
import type { JobPart, SeveralJobs } from "../format/job-file.ts";
import { listIn, objectIn, textIn } from "../format/reading.ts";
import { ID_WORDS, isAbsolutePath } from "./app-id.ts";

const KEYS = ["id", "apps", "groups", "dependencies", "sluice"];

const STRANGE: Readonly<Record<string, string>> = {
  pods: "a group's definition holds no pods: write each in a document of its own",
  version: "this is an order to go back, not a description; `sluice rollback` does it in Git",
  scaleBy: "this is an order, not a description: write the number of instances each app has",
  enforceRole: "Sluice writes apps, and leaves groups as they are; set it in Marathon",
};

/** True for a document that describes a group: it has no command of its own, but apps or groups. */
export function isGroup(document: JsonObject): boolean {
  return document.apps !== undefined || document.groups !== undefined;
}

/** An app of a group, before it is known what its dependencies name. */
interface Member {
  readonly path: Complaint["path"];
  readonly id: string;
  readonly value: JsonObject;
  readonly dependencies: readonly string[];
}

interface Walk {
  readonly members: Member[];
  readonly blocks: { path: Complaint["path"]; block: Json }[];
  readonly complaints: Complaint[];
}

/** What a group hands down. */
interface Enclosing {
  readonly path: Complaint["path"];
  /** Absolute, without a trailing slash: "" for the root. */
  readonly id: string;
  readonly dependencies: readonly string[];
  readonly sluice: JsonObject;
}

/**
 * The apps of a group, each a job of its own: ids and dependencies absolute, dependencies of the groups around it among them
 * (reference 1.2, groups). Nothing is ever written as a group, since a group's PUT deletes whatever it does not name.
 */
export function appsOfGroup(document: JsonObject): SeveralJobs {
  const walk: Walk = { members: [], blocks: [], complaints: [] };
  enter(document, { path: [], id: "", dependencies: [], sluice: {} }, walk);
  if (walk.members.length === 0 && walk.complaints.length === 0)
    walk.complaints.push({
      path: [],
      message: "the group holds no app",
      hint: "delete the file to remove its apps",
    });
  const parts = walk.members.map((member) => partOf(member, walk));
  return { parts, blocks: walk.blocks, complaints: walk.complaints };
}

function enter(group: JsonObject, around: Enclosing, walk: Walk): void {
  const { path } = around;
  for (const key of Object.keys(group).filter((one) => !KEYS.includes(one)))
    walk.complaints.push(unknownKey(path, key));
  const id = group.id === "/" && path.length === 0 ? "" : childId(group.id, around.id, path, walk);
  if (id === undefined) return;
  const block = objectIn(group.sluice);
  if (group.sluice !== undefined && group.sluice !== null) walk.blocks.push({ path, block: group.sluice });
  const own = dependenciesOf(group.dependencies, id, [...path, "dependencies"], walk);
  const inside = {
    id,
    dependencies: [...around.dependencies, ...own],
    sluice: { ...around.sluice, ...block },
  };
  for (const key of ["apps", "groups"] as const)
    for (const [at, one] of entries(group[key], [...path, key], walk)) {
      const here = { ...inside, path: [...path, key, at] };
      if (key === "groups") enter(one, here, walk);
      else addMember(one, here, walk);
    }
}

function addMember(app: JsonObject, around: Enclosing, walk: Walk): void {
  const { path, sluice } = around;
  const id = childId(app.id, around.id, path, walk);
  if (id === undefined) return;
  const own = dependenciesOf(app.dependencies, around.id, [...path, "dependencies"], walk);
  const dependencies = [...new Set([...own, ...around.dependencies])];
  const block = app.sluice === undefined ? {} : { sluice: app.sluice };
  const inherited =
    Object.keys(sluice).length > 0 && (app.sluice === undefined || isJsonObject(app.sluice))
      ? { sluice: { ...sluice, ...objectIn(app.sluice) } }
      : block;
  const value = {
    ...app,
    ...inherited,
    id,
    ...(dependencies.length > 0 || app.dependencies !== undefined ? { dependencies } : {}),
  };
  walk.members.push({ path, id, value, dependencies });
}

/** The absolute id of something that must sit directly in its group. */
function childId(
  id: Json | undefined,
  parent: string,
  path: Complaint["path"],
  walk: Walk,
): string | undefined {
  const place = [...path, "id"];
  const text = textIn(id);
  if (text === undefined) {
    walk.complaints.push({ path: place, message: id === undefined ? "is missing" : "must be a text" });
    return undefined;
  }
  const absolute = text.startsWith("/") ? text : `${parent}/${text}`;
  if (!isAbsolutePath(absolute)) walk.complaints.push({ path: place, message: ID_WORDS });
  // The outermost group may be anywhere.
  else if (path.length > 0 && absolute.slice(0, absolute.lastIndexOf("/")) !== parent)
    walk.complaints.push({ path: place, message: `must be directly in its group ${parent || "/"}` });
  else return absolute;
  return undefined;
}

/** Absolute paths; a relative one starts at the group (`../db`). */
function dependenciesOf(list: Json | undefined, base: string, path: Complaint["path"], walk: Walk): string[] {
  return listIn(list).flatMap((one, at) => {
    const text = textIn(one);
    const absolute = text === undefined ? "" : resolved(text, base);
    if (isAbsolutePath(absolute)) return [absolute];
    walk.complaints.push({
      path: [...path, at],
      message: "must be the path of an app or a group, as in /shop/db",
    });
    return [];
  });
}

function resolved(text: string, base: string): string {
  const segments = text.startsWith("/") ? [] : base.split("/").slice(1);
  for (const segment of text.replace(/^\//, "").split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

function entries(list: Json | undefined, path: Complaint["path"], walk: Walk): [number, JsonObject][] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) walk.complaints.push({ path, message: "must be a list" });
  return listIn(list).flatMap((one, at): [number, JsonObject][] => {
    if (isJsonObject(one)) return [[at, one]];
    walk.complaints.push({ path: [...path, at], message: "must be a mapping" });
    return [];
  });
}

/** What a dependency names inside the file is waited for; anything else is Marathon's to order. */
function partOf({ path, id, value, dependencies }: Member, { members, complaints }: Walk): JobPart {
  const after: JobId[] = [];
  for (const one of dependencies) {
    if (id.startsWith(`${one}/`) || id === one)
      complaints.push({
        path: [...path, "dependencies"],
        message: `${id} cannot depend on ${one}, which holds it`,
      });
    for (const other of members)
      if (other.id === one || other.id.startsWith(`${one}/`)) after.push(jobId(other.id));
  }
  return { path, value, after };
}

function unknownKey(path: Complaint["path"], key: string): Complaint {
  const hint = STRANGE[key];
  const message = `unknown key "${key}" of a group`;
  return hint === undefined
    ? { path: [...path, key], message: message + suggest(key, KEYS) }
    : { path: [...path, key], message, hint };
}
