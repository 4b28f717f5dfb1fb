import type { SentApp } from "../app/app-shape.ts";
import { versioned } from "../app/versioning.ts";
import { absolutePath, parentPath } from "../ids.ts";
import type { App, Change, Edit, GroupFacts } from "../model.ts";
import { notValid } from "../refusal.ts";
import type { PastGroup } from "./past.ts";
import { restored } from "./reversal.ts";
import { factsOf, type RootGroup } from "./root-group.ts";

/** A group as a client sent it: any of its lists may be absent. */
export interface SentGroup {
  id?: string;
  apps?: SentApp[];
  groups?: SentGroup[];
  dependencies?: string[];
  scaleBy?: number;
  version?: string;
  enforceRole?: boolean;
}

/** How an app in a group's body becomes a change. */
export type AppChange = (id: string, sent: SentApp) => Change;

/**
 * What a body means for the group at a path. Lists replace as a whole: an app or child group that is not named goes,
 * with all that is in it; a list that is absent leaves what is there. Pods are left alone, but for those of child
 * groups that go.
 * @throws Refusal 422 for an app or group outside its group.
 */
export function structureEdit(root: RootGroup, path: string, sent: SentGroup, change: AppChange): Edit {
  const group = root.group(path);
  const known: GroupFacts = group ? factsOf(group) : {};
  const dependencies = sent.dependencies?.map((one) => absolutePath(one, path));
  const { enforceRole = known.enforceRole } = sent;
  const to: GroupFacts = factsOf({
    ...known,
    ...(dependencies && { dependencies: [...new Set(dependencies)] }),
    ...(enforceRole !== undefined && { enforceRole }),
  });
  const edit: Edit = {
    apps: [],
    groups: [{ path, to, ...(group && { from: known }) }],
  };
  if (sent.apps) {
    edit.apps = sent.apps.map((app) => change(memberId(path, app.id, "apps"), app));
    const named = new Set(edit.apps.map(({ id }) => id));
    const gone = [...(group?.apps ?? [])].flatMap((id) => root.app(id) ?? []);
    for (const app of gone) if (!named.has(app.id) && !app.pod) edit.apps.push({ id: app.id, from: app });
  }
  if (!sent.groups) return edit;
  const children = sent.groups.map((child) => ({ child, id: memberId(path, child.id, "groups") }));
  const named = new Set(children.map(({ id }) => id));
  const gone = [...(group?.groups ?? [])].filter((id) => !named.has(id));
  return joined(
    edit,
    ...children.map(({ child, id }) => structureEdit(root, id, child, change)),
    ...gone.map((id) => removalEdit(root, id)),
  );
}

/** The end of a group and of all that is in it. Of the root, which always is, only what is in it goes. */
export function removalEdit(root: RootGroup, path: string): Edit {
  const paths = [...(path === "/" ? [] : [path]), ...root.groupsUnder(path)];
  return {
    apps: root.under(path).map((app) => ({ id: app.id, from: app })),
    groups: paths.map((inner) => ({ path: inner, from: factsOf(root.group(inner) ?? {}) })),
  };
}

/** Every app below a group brought to `instances` times the factor, rounded up. Pods stay as they are. */
export function scaleEdit(root: RootGroup, path: string, factor: number, now: string): Edit {
  const apps = root.under(path).filter((app) => !app.pod);
  return { apps: apps.map((from) => scaled(from, factor, now)), groups: [] };
}

/** What brings a group back to what it was. */
export function pastEdit(root: RootGroup, path: string, past: PastGroup, now: string): Edit {
  const current = new Map(root.under(path).map((app) => [app.id, app]));
  const groups = [path, ...root.groupsUnder(path)].filter((inner) => root.isGroup(inner));
  const facts = new Map(groups.map((inner) => [inner, factsOf(root.group(inner) ?? {})]));
  const ids = new Set([...current.keys(), ...past.apps.keys()]);
  const paths = new Set([...facts.keys(), ...past.groups.keys()]);
  return {
    apps: [...ids].flatMap((id) => restored(current.get(id), id, past.apps.get(id), now)),
    groups: [...paths].map((inner) => {
      const [from, to] = [facts.get(inner), past.groups.get(inner)];
      return { path: inner, ...(from && { from }), ...(to && { to }) };
    }),
  };
}

function scaled(from: App, factor: number, now: string): Change {
  const { version: _, versionInfo: __, ...spec } = from;
  const instances = Math.ceil(spec.instances * factor);
  return { id: from.id, from, to: versioned({ ...spec, instances }, from, now) };
}

/** @throws Refusal 422 when the member lies elsewhere than directly in the group, or has no id. */
function memberId(path: string, sent: string | undefined, list: string): string {
  const id = absolutePath(sent ?? "", path);
  if (sent !== undefined && id !== path && parentPath(id) === path) return id;
  throw notValid([{ path: `/${list}`, errors: [`Identifier is not child of '${path}'`] }]);
}

function joined(...edits: Edit[]): Edit {
  return { apps: edits.flatMap((edit) => edit.apps), groups: edits.flatMap((edit) => edit.groups) };
}
