import { needsRestart } from "../app/versioning.ts";
import type { App, Change } from "../model.ts";

export type ActionName = "StopApplication" | "StartApplication" | "ScaleApplication" | "RestartApplication";

export interface Action {
  action: ActionName;
  app: string;
}

export interface Step {
  actions: Action[];
}

/** A change of the root group on its way from accepted to done. */
export interface Plan {
  id: string;
  version: string;
  changes: Change[];
  /** Done one after another; the actions of a step all at once. */
  steps: Step[];
}

/** Where dependencies lead: an app by its id, and the apps that a dependency on a path means. */
export interface Dependencies {
  app(id: string): App | undefined;
  under(path: string): App[];
}

/**
 * The steps of a change: first all stops, in no order, then all starts (which only announce the new apps), then one
 * step per layer of dependencies, those that depend on nothing first. Unchanged apps need no step.
 * @param wanted the tree as it shall be.
 */
export function planSteps(changes: readonly Change[], wanted: Dependencies): Step[] {
  const gone = changes.filter(({ from, to }) => from && !to);
  const born = changes.filter(({ from, to }) => !from && to);
  const layers: Action[][] = [];
  const depth = depths(wanted);
  for (const change of changes) {
    const action = change.to && actionFor(change, change.to);
    if (!action || !change.to) continue;
    const layer = depth(change.to);
    layers[layer] = [...(layers[layer] ?? []), { action, app: change.id }];
  }
  return [
    gone.map(({ id }): Action => ({ action: "StopApplication", app: id })),
    born.map(({ id }): Action => ({ action: "StartApplication", app: id })),
    ...Object.values(layers),
  ]
    .filter((actions) => actions.length > 0)
    .map((actions) => ({ actions }));
}

/** Whether dependencies lead from one of the apps back to itself. */
export function isCyclic(apps: readonly App[], wanted: Dependencies): boolean {
  const open = new Set<string>();
  const done = new Set<string>();
  function visit(app: App): boolean {
    if (done.has(app.id)) return false;
    if (open.has(app.id)) return true;
    open.add(app.id);
    const found = targets(app, wanted).some(visit);
    open.delete(app.id);
    done.add(app.id);
    return found;
  }
  return apps.some(visit);
}

function actionFor({ from }: Change, to: App): ActionName | undefined {
  if (!from) return "ScaleApplication";
  if (needsRestart(from, to)) return to.instances === 0 ? "ScaleApplication" : "RestartApplication";
  return from.instances === to.instances ? undefined : "ScaleApplication";
}

/** Length of the longest chain of dependencies below an app. The dependencies must not be cyclic. */
function depths(wanted: Dependencies): (app: App) => number {
  const known = new Map<string, number>();
  return function depth(app) {
    const found = known.get(app.id);
    if (found !== undefined) return found;
    const below = targets(app, wanted).map((one) => depth(one) + 1);
    const result = Math.max(0, ...below);
    known.set(app.id, result);
    return result;
  };
}

function targets(app: App, wanted: Dependencies): App[] {
  return (app.dependencies ?? []).flatMap((path) => {
    const one = wanted.app(path);
    return one ? [one] : wanted.under(path);
  });
}

/** The tree as it shall be after some changes, without making them. */
export function overlay(changes: readonly Change[], base: Dependencies): Dependencies {
  const changed = new Map(changes.map((change) => [change.id, change.to]));
  return {
    app: (id) => (changed.has(id) ? changed.get(id) : base.app(id)),
    under(path) {
      const prefix = path === "/" ? "/" : `${path}/`;
      const kept = base.under(path).filter((app) => !changed.has(app.id));
      return [
        ...kept,
        ...[...changed.values()].filter((app) => app?.id.startsWith(prefix)).flatMap((app) => app ?? []),
      ];
    },
  };
}
