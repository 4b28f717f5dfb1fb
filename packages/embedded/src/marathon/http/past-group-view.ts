import { parentPath } from "../ids.ts";
import type { App } from "../model.ts";
import type { PastGroup } from "../root/past.ts";

/** A group as it was, with all that was in it, as the API shows it. */
export function pastGroupView(
  path: string,
  version: string,
  past: PastGroup,
  appView: (app: App) => unknown,
): Record<string, unknown> {
  const facts = past.groups.get(path) ?? {};
  const isMember = (id: string) => id !== path && parentPath(id) === path;
  const members = [...past.apps.values()].filter((app) => isMember(app.id) && !app.pod);
  return {
    id: path,
    apps: members.map(appView),
    pods: [],
    groups: [...past.groups.keys()]
      .filter(isMember)
      .map((inner) => pastGroupView(inner, version, past, appView)),
    dependencies: facts.dependencies ?? [],
    version,
    ...(facts.enforceRole !== undefined && { enforceRole: facts.enforceRole }),
  };
}
