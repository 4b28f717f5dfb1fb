import { needsRestart } from "../app/versioning.ts";
import { ancestors } from "../ids.ts";
import type { App, Change, Edit, GroupChange, GroupFacts } from "../model.ts";

/** What is done to one app or pod. */
export type Verb = "Stop" | "Start" | "Scale" | "Restart";

/** An action as the API shows it. */
export type Action = { action: `${Verb}Application`; app: string } | { action: `${Verb}Pod`; pod: string };

export interface Step {
  actions: Action[];
}

/** A change of the root group on its way from accepted to done. */
export interface Plan {
  id: string;
  version: string;
  changes: Change[];
  groups: GroupChange[];
  /** Done one after another; the actions of a step all at once. */
  steps: Step[];
}

/** Where dependencies lead: an app by its id, and the apps that a dependency on a path means. */
export interface Dependencies {
  app(id: string): App | undefined;
  under(path: string): App[];
  /** Dependencies from the groups around an app. */
  inherited(id: string): string[];
  group(path: string): GroupFacts | undefined;
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
    const verb = change.to && verbFor(change, change.to);
    if (!verb || !change.to) continue;
    const layer = depth(change.to);
    layers[layer] ??= [];
    layers[layer].push(actionOf(verb, change));
  }
  return [
    gone.map((change) => actionOf("Stop", change)),
    born.map((change) => actionOf("Start", change)),
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

/** The app or pod an action is about. */
export function subjectOf(action: Action): string {
  return "app" in action ? action.app : action.pod;
}

function actionOf(verb: Verb, { id, from, to }: Change): Action {
  const isPod = (to ?? from)?.pod !== undefined;
  return isPod ? { action: `${verb}Pod`, pod: id } : { action: `${verb}Application`, app: id };
}

function verbFor({ from }: Change, to: App): Verb | undefined {
  if (!from) return "Scale";
  if (needsRestart(from, to)) return to.instances === 0 ? "Scale" : "Restart";
  return from.instances === to.instances ? undefined : "Scale";
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
  return [...(app.dependencies ?? []), ...wanted.inherited(app.id)].flatMap((path) => {
    const one = wanted.app(path);
    return one ? [one] : wanted.under(path);
  });
}

/** The tree as it shall be after an edit, without making it. */
export function overlay(edit: Edit, base: Dependencies): Dependencies {
  const changed = new Map(edit.apps.map((change) => [change.id, change.to]));
  const groups = new Map(edit.groups.map((change) => [change.path, change]));
  return {
    app: (id) => (changed.has(id) ? changed.get(id) : base.app(id)),
    under(path) {
      const prefix = path === "/" ? "/" : `${path}/`;
      const kept = base.under(path).filter((app) => !changed.has(app.id));
      const added = [...changed.values()].filter((app) => app?.id.startsWith(prefix));
      return [...kept, ...added.flatMap((app) => app ?? [])];
    },
    inherited(id) {
      if (groups.size === 0) return base.inherited(id);
      return ancestors(id).flatMap((path) => facts(path)?.dependencies ?? []);
    },
    group: facts,
  };

  function facts(path: string): GroupFacts | undefined {
    const change = groups.get(path);
    return change ? change.to : base.group(path);
  }
}
