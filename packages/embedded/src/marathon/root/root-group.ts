import { ancestors } from "../ids.ts";
import type { App, Change } from "../model.ts";

/** The tree of groups and apps as it is wanted. Changed only by `apply`; a change costs its own size, not the tree's. */
export interface RootGroup {
  app(id: string): App | undefined;
  /** Every app, in no order. */
  apps(): Iterable<App>;
  isGroup(path: string): boolean;
  /** Apps anywhere below a group. */
  under(path: string): App[];
  /** Removed apps leave their groups behind, as in Marathon; an empty group gives way to an app of its path. */
  apply(changes: readonly Change[]): void;
}

interface Group {
  apps: Set<string>;
  groups: Set<string>;
}

export function rootGroup(known: Iterable<App>, groupPaths: Iterable<string>): RootGroup {
  const apps = new Map<string, App>();
  const groups = new Map<string, Group>([["/", { apps: new Set(), groups: new Set() }]]);

  function groupAt(path: string): Group {
    const found = groups.get(path);
    if (found) return found;
    const made: Group = { apps: new Set(), groups: new Set() };
    groups.set(path, made);
    groupAt(ancestors(path).at(-1) ?? "/").groups.add(path);
    return made;
  }

  function set(app: App): void {
    const parent = ancestors(app.id).at(-1) ?? "/";
    if (groups.delete(app.id)) groups.get(parent)?.groups.delete(app.id);
    groupAt(parent).apps.add(app.id);
    apps.set(app.id, app);
  }

  function* below(path: string): Generator<App> {
    const group = groups.get(path);
    for (const id of group?.apps ?? []) {
      const app = apps.get(id);
      if (app) yield app;
    }
    for (const inner of group?.groups ?? []) yield* below(inner);
  }

  for (const path of groupPaths) groupAt(path);
  for (const app of known) set(app);

  return {
    app: (id) => apps.get(id),
    apps: () => apps.values(),
    isGroup: (path) => groups.has(path),
    under: (path) => [...below(path)],
    apply(changes) {
      for (const { id, to } of changes) {
        if (to) set(to);
        else if (apps.delete(id)) groups.get(ancestors(id).at(-1) ?? "/")?.apps.delete(id);
      }
    },
  };
}
