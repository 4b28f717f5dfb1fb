import { ancestors, parentPath } from "../ids.ts";
import type { App, Edit, GroupChange, GroupFacts } from "../model.ts";

/** A group as it stands. */
export interface Group extends GroupFacts {
  path: string;
  /** Of the last write to it or to anything below. */
  version: string;
  /** Ids of what is directly in it. */
  apps: ReadonlySet<string>;
  groups: ReadonlySet<string>;
}

/** The tree of groups, apps and pods as it is wanted. Changed only by `apply`; a change costs its own size, not the tree's. */
export interface RootGroup {
  app(id: string): App | undefined;
  /** Every app and pod, in no order. */
  apps(): Iterable<App>;
  group(path: string): Group | undefined;
  isGroup(path: string): boolean;
  /** Apps anywhere below a group. */
  under(path: string): App[];
  /** Paths of the groups anywhere below a group. */
  groupsUnder(path: string): string[];
  /** Dependencies that something has from the groups around it. */
  inherited(id: string): string[];
  /** Removed apps leave their groups behind, as in Marathon. A removed group must be empty by then. */
  apply(edit: Edit, version: string): void;
}

interface Node extends Group {
  apps: Set<string>;
  groups: Set<string>;
}

/** @param known groups by path, parents in any order; those that only an app's path names are made. */
export function rootGroup(
  known: Iterable<App>,
  knownGroups: Iterable<readonly [string, GroupFacts]>,
): RootGroup {
  const apps = new Map<string, App>();
  const groups = new Map<string, Node>([["/", emptyGroup("/")]]);

  function groupAt(path: string): Node {
    const found = groups.get(path);
    if (found) return found;
    const made = emptyGroup(path);
    groups.set(path, made);
    groupAt(parentPath(path)).groups.add(path);
    return made;
  }

  function touch(id: string, version: string): void {
    for (const path of [...ancestors(id), id]) {
      const group = groups.get(path);
      if (group && group.version < version) group.version = version;
    }
  }

  function set(app: App): void {
    groupAt(parentPath(app.id)).apps.add(app.id);
    apps.set(app.id, app);
    touch(app.id, app.version);
  }

  function setGroup({ path, to }: GroupChange): void {
    if (!to) {
      groups.delete(path);
      groups.get(parentPath(path))?.groups.delete(path);
      return;
    }
    const group = groupAt(path);
    delete group.dependencies;
    delete group.enforceRole;
    Object.assign(group, to);
  }

  function* below(path: string): Generator<App> {
    const group = groups.get(path);
    for (const id of group?.apps ?? []) {
      const app = apps.get(id);
      if (app) yield app;
    }
    for (const inner of group?.groups ?? []) yield* below(inner);
  }

  function groupsUnder(path: string): string[] {
    return [...(groups.get(path)?.groups ?? [])].flatMap((inner) => [inner, ...groupsUnder(inner)]);
  }

  for (const [path, to] of knownGroups) setGroup({ path, to });
  for (const app of known) set(app);

  return {
    app: (id) => apps.get(id),
    apps: () => apps.values(),
    group: (path) => groups.get(path),
    isGroup: (path) => groups.has(path),
    under: (path) => [...below(path)],
    groupsUnder,
    inherited: (id) => ancestors(id).flatMap((path) => groups.get(path)?.dependencies ?? []),
    apply(edit, version) {
      for (const { id, to } of edit.apps)
        if (!to && apps.delete(id)) groups.get(parentPath(id))?.apps.delete(id);
      for (const change of edit.groups) if (!change.to) setGroup(change);
      for (const change of edit.groups) if (change.to) setGroup(change);
      for (const { to } of edit.apps) if (to) set(to);
      for (const { id } of edit.apps) touch(id, version);
      for (const { path } of edit.groups) touch(path, version);
    },
  };
}

/** The edit with what follows from it: groups on the way to new apps, and empty groups that give way to an app of their path. */
export function wholeEdit(root: RootGroup, { apps, groups }: Edit): Edit {
  const named = new Set(groups.map((change) => change.path));
  const made: GroupChange[] = [];
  for (const { id, from, to } of apps) {
    if (from || !to) continue;
    for (const path of ancestors(id)) {
      if (root.isGroup(path) || named.has(path)) continue;
      named.add(path);
      made.push({ path, to: {} });
    }
    const group = root.group(id);
    if (group?.groups.size === 0 && !named.has(id)) made.push({ path: id, from: factsOf(group) });
  }
  return { apps, groups: made.length > 0 ? [...groups, ...made] : groups };
}

/** What a group says, without its members. */
export function factsOf({ dependencies, enforceRole }: GroupFacts): GroupFacts {
  return { ...(dependencies && { dependencies }), ...(enforceRole !== undefined && { enforceRole }) };
}

function emptyGroup(path: string): Node {
  return { path, version: "1970-01-01T00:00:00.000Z", apps: new Set(), groups: new Set() };
}
