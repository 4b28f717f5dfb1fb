import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "@sluice/core";
import type { Deployments } from "../deployment/deployments.ts";
import type { PlanEvents } from "../deployment/plan-events.ts";
import type { EventBus } from "../events.ts";
import { ancestors } from "../ids.ts";
import { type App, type Change, type Edit, timestamp } from "../model.ts";
import { notValid, Refusal } from "../refusal.ts";
import type { Store } from "../store.ts";
import { type Dependencies, isCyclic, overlay, type Plan, planSteps } from "./plan.ts";
import { type RootGroup, wholeEdit } from "./root-group.ts";
import type { ServicePorts } from "./service-ports.ts";

export interface UpdatesOptions {
  root: RootGroup;
  store: Store;
  deployments: Deployments;
  ports: ServicePorts;
  events: EventBus;
  told: PlanEvents;
  clock: Clock;
  /** Running deployments beyond which every write is refused; Marathon's default is 100. */
  maxRunningDeployments: number;
}

/** One write to the root group. */
export interface Update {
  /** Cancels deployments that are in the way instead of being refused. */
  force: boolean;
  /** For the events: the group that is written. */
  groupId: string;
  /** What shall change, computed when its turn comes. @throws Refusal. */
  edit(version: string): Edit;
  /** Instances to kill, by app. */
  sentenced?: ReadonlyMap<string, readonly string[]>;
  /** Emits events of its own once the write is accepted. */
  accepted?(): void;
}

/** All writes to the root group, one after another. */
export interface Updates {
  /** Resolves when the write is accepted and on disk; the tasks follow. @throws Refusal. */
  submit(update: Update): Promise<Plan>;
  /** What `submit` would do, without doing it. @throws Refusal as `submit` does, but for limits and locks. */
  preview(update: Pick<Update, "edit">): Plan;
}

/** Marathon's limit of waiting writes. */
const MAX_WAITING = 500;

export function createUpdates(options: UpdatesOptions): Updates {
  let waiting = 0;
  let last = Date.parse(options.store.rootVersions()[0] ?? "") || 0;
  const nextVersion = () => timestamp(Math.max(options.clock.now(), last + 1));
  return {
    async submit(update) {
      if (waiting >= MAX_WAITING) throw new Refusal(500, { message: "Queue is full" });
      const version = nextVersion();
      last = Date.parse(version);
      waiting++;
      try {
        return await accept(options, update, version);
      } finally {
        waiting--;
      }
    },
    preview: (update) => planOf(options.root, update, nextVersion()),
  };
}

/** @throws Refusal when the tree as it would be breaks a rule. */
function planOf(root: RootGroup, update: Pick<Update, "edit">, version: string): Plan {
  const edit = wholeEdit(root, update.edit(version));
  const affected: Edit = {
    apps: edit.apps.filter(({ from, to }) => from !== to),
    groups: edit.groups.filter(({ from, to }) => !isDeepStrictEqual(from, to)),
  };
  checkRoot(root, affected);
  const steps = planSteps(affected.apps, overlay(affected, root));
  return { id: randomUUID(), version, changes: affected.apps, groups: affected.groups, steps };
}

/**
 * Everything up to the commit happens in one turn of the event loop, which is what makes writes serial; waiting for the
 * disk does not hold up the next one, so that writes at the same time share a commit.
 */
function accept(options: UpdatesOptions, update: Update, version: string): Promise<Plan> {
  const { root, store, deployments, events } = options;
  checkLimit(options);
  const plan = planOf(root, update, version);
  const edit = { apps: plan.changes, groups: plan.groups };
  const ids = edit.apps.map((change) => change.id);
  const lockers = deployments.lockers(ids);
  if (lockers.length > 0 && !update.force) throw locked(options, update, plan, lockers);

  swap(options, edit, version);
  for (const id of lockers) deployments.cancel(id, new Set(ids));
  const committed = store.commit(version, edit, plan.steps.length > 0 ? plan : undefined).then(() => {
    events.emit("group_change_success", { groupId: update.groupId, version });
    update.accepted?.();
    return plan;
  });
  deployments.begin(plan, { sentenced: update.sentenced, after: committed });
  return committed.catch((error: unknown) => {
    takeBack(options, edit, version);
    throw error;
  });
}

/** A write that did not reach the disk is undone, but for what later writes have changed since. */
function takeBack(options: UpdatesOptions, { apps, groups }: Edit, version: string): void {
  const mine = apps.filter(({ id, to }) => options.root.app(id) === to);
  const reversed = mine.map(
    ({ id, from, to }): Change => ({ id, ...(to && { from: to }), ...(from && { to: from }) }),
  );
  const made = groups.filter(({ path, from }) => from || options.root.group(path)?.apps.size === 0);
  const restored = made.map(({ path, from }) => ({ path, ...(from && { to: from }) }));
  swap(options, { apps: reversed, groups: restored }, version);
}

function swap({ root, ports }: UpdatesOptions, edit: Edit, version: string): void {
  for (const { from, to } of edit.apps) {
    if (to) ports.take(to);
    if (from) ports.release(from);
  }
  root.apply(edit, version);
}

function checkLimit({ deployments, maxRunningDeployments }: UpdatesOptions): void {
  if (deployments.list().length < maxRunningDeployments) return;
  const message = `Max number (${maxRunningDeployments}) of running deployments is achieved. Wait for existing deployments to complete or cancel one using force=true parameter. You can increase max deployment number by using --max_running_deployments parameter`;
  throw new Refusal(403, { message });
}

/** Rules about the tree as a whole, as far as the edit can break them. */
function checkRoot(root: RootGroup, edit: Edit): void {
  const wanted = overlay(edit, root);
  const { apps, groups } = edit;
  const added = apps.flatMap(({ from, to }) => (to && !from ? to : []));
  const isGroup = (path: string) => wanted.group(path) !== undefined || wanted.under(path).length > 0;
  const newGroups = groups.filter(({ from, to }) => to && !from);
  if (
    added.some((app) => isGroup(app.id) || hasAppAbove(app, (id) => wanted.app(id))) ||
    newGroups.some(({ path }) => wanted.app(path) !== undefined)
  )
    throw invalidRoot("Groups and Applications may not have the same identifier.");
  if (groups.some(({ path, to }) => to?.enforceRole && ancestors(path).length > 1))
    throw notValid([{ path: "/enforceRole", errors: ["enforceRole can only be set for top-level groups"] }]);
  const waiting = groups
    .filter(({ to }) => to?.dependencies?.length)
    .flatMap(({ path }) => wanted.under(path));
  const dependent = apps.flatMap(({ to }) => (to && hasDependencies(to, wanted) ? to : []));
  if ((waiting.length > 0 || dependent.length > 0) && isCyclic([...dependent, ...waiting], wanted))
    throw invalidRoot("Dependency graph has cyclic dependencies.");
}

function hasDependencies(app: App, wanted: Dependencies): boolean {
  return app.dependencies !== undefined || wanted.inherited(app.id).length > 0;
}

function invalidRoot(error: string): Refusal {
  return notValid([{ path: "/", errors: [error] }]);
}

function hasAppAbove(app: App, find: (id: string) => App | undefined): boolean {
  return ancestors(app.id).some((path) => find(path) !== undefined);
}

/** A refused write is told of like a failed deployment, with the id of the plan that never began. */
function locked({ events, told }: UpdatesOptions, update: Update, plan: Plan, lockers: string[]): Refusal {
  const message =
    "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";
  events.emit("group_change_failed", { groupId: update.groupId, version: plan.version, reason: message });
  told.failed(plan, message);
  return new Refusal(409, { message, deployments: lockers.map((id) => ({ id })) });
}
