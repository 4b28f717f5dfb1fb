import { parentPath } from "../ids.ts";
import type { App, GroupFacts } from "../model.ts";
import type { PastGroup } from "../root/past.ts";

/** How the parts of a stored group are shown. */
export interface PastViews {
  app(app: App): unknown;
  facts(path: string, facts: GroupFacts): Record<string, unknown>;
}

/** A group as it was, with all that was in it, as the API shows it. */
export function pastGroupView(
  path: string,
  version: string,
  past: PastGroup,
  views: PastViews,
): Record<string, unknown> {
  const facts = past.groups.get(path) ?? {};
  const isMember = (id: string) => id !== path && parentPath(id) === path;
  const members = [...past.apps.values()].filter((app) => isMember(app.id) && !app.pod);
  return {
    id: path,
    apps: members.map(views.app),
    pods: [],
    groups: [...past.groups.keys()]
      .filter(isMember)
      .map((inner) => pastGroupView(inner, version, past, views)),
    dependencies: facts.dependencies ?? [],
    version,
    ...views.facts(path, facts),
  };
}
