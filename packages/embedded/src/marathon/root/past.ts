import type { App, GroupFacts } from "../model.ts";
import type { Store } from "../store.ts";
import { factsOf, type RootGroup } from "./root-group.ts";

/** The members of a group as they were. */
export interface PastGroup {
  apps: Map<string, App>;
  /** By path, the group itself included. */
  groups: Map<string, GroupFacts>;
}

/**
 * A group as it was at a version of the root group, found by undoing the writes since; undefined when that version is
 * not remembered or had no such group.
 */
export function pastGroup(
  { root, store }: { root: RootGroup; store: Store },
  path: string,
  version: string,
): PastGroup | undefined {
  const known = store.rootVersions();
  const index = known.indexOf(version);
  if (index < 0) return undefined;
  const past: PastGroup = { apps: new Map(), groups: new Map() };
  for (const app of root.under(path)) past.apps.set(app.id, app);
  for (const inner of [path, ...root.groupsUnder(path)]) {
    const group = root.group(inner);
    if (group) past.groups.set(inner, factsOf(group));
  }
  for (const later of known.slice(0, index)) undo(past, path, store, later);
  return past.groups.has(path) ? past : undefined;
}

/** Versions of the root group in which a group was there, the newest first. */
export function groupVersions({ root, store }: { root: RootGroup; store: Store }, path: string): string[] {
  const known = store.rootVersions();
  let isThere = root.isGroup(path);
  return known.filter((version) => {
    const wasThere = isThere;
    const change = store.rootWrite(version)?.groups.find((one) => one.path === path);
    if (change) isThere = change.to !== undefined;
    return wasThere;
  });
}

function undo(past: PastGroup, path: string, store: Store, version: string): void {
  const within = (id: string) => path === "/" || id === path || id.startsWith(`${path}/`);
  const { apps = [], groups = [] } = store.rootWrite(version) ?? {};
  for (const { id, to } of apps.filter((change) => within(change.id))) {
    if (to) past.apps.set(id, to);
    else past.apps.delete(id);
  }
  for (const { path: inner, to } of groups.filter((change) => within(change.path))) {
    if (to) past.groups.set(inner, to);
    else past.groups.delete(inner);
  }
}
