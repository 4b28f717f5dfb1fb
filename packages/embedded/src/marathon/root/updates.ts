import { randomUUID } from "node:crypto";
import type { Clock } from "@sluice/core";
import { type Deployments, tellFailed } from "../deployment/deployments.ts";
import type { EventBus } from "../events.ts";
import { ancestors } from "../ids.ts";
import { type App, type Change, timestamp } from "../model.ts";
import { notValid, Refusal } from "../refusal.ts";
import type { Store } from "../store.ts";
import { isCyclic, overlay, type Plan, planSteps } from "./plan.ts";
import type { RootGroup } from "./root-group.ts";
import type { ServicePorts } from "./service-ports.ts";

export interface UpdatesOptions {
  root: RootGroup;
  store: Store;
  deployments: Deployments;
  ports: ServicePorts;
  events: EventBus;
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
  changes(version: string): Change[];
  /** Instances to kill, by app. */
  sentenced?: ReadonlyMap<string, readonly string[]>;
  /** Emits events of its own once the write is accepted. */
  accepted?(changes: readonly Change[]): void;
}

/** All writes to the root group, one after another. */
export interface Updates {
  /** Resolves when the write is accepted and on disk; the tasks follow. @throws Refusal. */
  submit(update: Update): Promise<Plan>;
}

/** Marathon's limit of waiting writes. */
const MAX_WAITING = 500;

export function createUpdates(options: UpdatesOptions): Updates {
  let waiting = 0;
  let last = 0;
  const nextVersion = () => {
    last = Math.max(options.clock.now(), last + 1);
    return timestamp(last);
  };
  return {
    async submit(update) {
      if (waiting >= MAX_WAITING) throw new Refusal(500, { message: "Queue is full" });
      waiting++;
      try {
        return await accept(options, update, nextVersion());
      } finally {
        waiting--;
      }
    },
  };
}

/**
 * Everything up to the commit happens in one turn of the event loop, which is what makes writes serial; waiting for the
 * disk does not hold up the next one, so that writes at the same time share a commit.
 */
function accept(options: UpdatesOptions, update: Update, version: string): Promise<Plan> {
  const { root, store, deployments } = options;
  checkLimit(options);
  const changes = update.changes(version);
  checkRoot(root, changes);
  const steps = planSteps(changes, overlay(changes, root));
  const affected = changes.filter(({ from, to }) => from !== to);
  const plan: Plan = { id: randomUUID(), version, changes: affected, steps };
  const ids = affected.map((change) => change.id);
  const lockers = deployments.lockers(ids);
  if (lockers.length > 0 && !update.force) throw locked(options, update, plan, lockers);

  swap(options, affected);
  for (const id of lockers) deployments.cancel(id, new Set(ids));
  const committed = store.commit(affected, steps.length > 0 ? plan : undefined).then(() => {
    options.events.emit("group_change_success", { groupId: update.groupId, version });
    update.accepted?.(changes);
    return plan;
  });
  deployments.begin(plan, { sentenced: update.sentenced, after: committed });
  return committed.catch((error: unknown) => {
    takeBack(options, affected);
    throw error;
  });
}

/** A write that did not reach the disk is undone, but for what later writes have changed since. */
function takeBack(options: UpdatesOptions, changes: readonly Change[]): void {
  const mine = changes.filter(({ id, to }) => options.root.app(id) === to);
  const reversed = mine.map(
    ({ id, from, to }): Change => ({ id, ...(to && { from: to }), ...(from && { to: from }) }),
  );
  swap(options, reversed);
}

function swap({ root, ports }: UpdatesOptions, changes: readonly Change[]): void {
  for (const { from, to } of changes) {
    if (to) ports.take(to);
    if (from) ports.release(from);
  }
  root.apply(changes);
}

function checkLimit({ deployments, maxRunningDeployments }: UpdatesOptions): void {
  if (deployments.list().length < maxRunningDeployments) return;
  const message = `Max number (${maxRunningDeployments}) of running deployments is achieved. Wait for existing deployments to complete or cancel one using force=true parameter. You can increase max deployment number by using --max_running_deployments parameter`;
  throw new Refusal(403, { message });
}

/** Rules about the tree as a whole, as far as the changes can break them. */
function checkRoot(root: RootGroup, changes: readonly Change[]): void {
  const wanted = overlay(changes, root);
  const apps = changes.flatMap(({ to }) => to ?? []);
  const added = changes.flatMap(({ from, to }) => (to && !from ? to : []));
  const groups = new Set(added.flatMap((app) => ancestors(app.id)));
  const isTaken = (app: App) =>
    groups.has(app.id) || root.under(app.id).some((one) => wanted.app(one.id) !== undefined);
  if (added.some((app) => isTaken(app) || hasAppAbove(app, (id) => wanted.app(id))))
    throw notValid([{ path: "/", errors: ["Groups and Applications may not have the same identifier."] }]);
  const dependent = apps.filter((app) => app.dependencies !== undefined);
  if (dependent.length > 0 && isCyclic(dependent, wanted))
    throw notValid([{ path: "/", errors: ["Dependency graph has cyclic dependencies."] }]);
}

function hasAppAbove(app: App, find: (id: string) => App | undefined): boolean {
  return ancestors(app.id).some((path) => find(path) !== undefined);
}

/** A refused write is told of like a failed deployment, with the id of the plan that never began. */
function locked({ events }: UpdatesOptions, update: Update, plan: Plan, lockers: string[]): Refusal {
  const message =
    "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";
  events.emit("group_change_failed", { groupId: update.groupId, version: plan.version, reason: message });
  tellFailed(events, plan, message);
  return new Refusal(409, { message, deployments: lockers.map((id) => ({ id })) });
}
