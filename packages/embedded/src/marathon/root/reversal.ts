import { specOf, versioned } from "../app/versioning.ts";
import type { App, Change, Edit, GroupChange } from "../model.ts";
import type { Plan } from "./plan.ts";
import { factsOf, type RootGroup } from "./root-group.ts";

/**
 * What leads back from a plan's target to its original: apps are restored, new ones removed; groups get their
 * dependencies back, and those that the plan made go when nothing is left in them. Changes of others stay.
 * @param now timestamp of the write.
 */
export function reversal(root: RootGroup, plan: Plan, now: string): Edit {
  const apps = plan.changes.flatMap(({ id, from }) => restored(root.app(id), id, from, now));
  return { apps, groups: plan.groups.flatMap((change) => restoredGroup(root, change, apps, plan)) };
}

/** The change that makes an app what it was, none when it is that already. */
export function restored(current: App | undefined, id: string, was: App | undefined, now: string): Change[] {
  if (!was) return current ? [{ id, from: current }] : [];
  const to = versioned(specOf(was), current, now);
  return [{ id, to, ...(current && { from: current }) }];
}

function restoredGroup(
  root: RootGroup,
  { path, from, to }: GroupChange,
  apps: Change[],
  plan: Plan,
): GroupChange[] {
  const group = root.group(path);
  if (from) return [{ path, to: from, ...(group && { from: factsOf(group) }) }];
  if (!group || !to) return [];
  const gone = new Set(apps.filter((change) => !change.to).map((change) => change.id));
  const isLeft = root.under(path).some((app) => !gone.has(app.id));
  const made = new Set(plan.groups.filter((change) => !change.from).map((change) => change.path));
  const isHeld = root.groupsUnder(path).some((inner) => !made.has(inner));
  return isLeft || isHeld ? [] : [{ path, from: factsOf(group) }];
}
