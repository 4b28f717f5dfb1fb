import { randomUUID } from "node:crypto";
import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "lmdb";
import { ancestors } from "./ids.ts";
import type { App, Change, TaskFailure } from "./model.ts";
import type { Plan } from "./root/plan.ts";

/** What survives the process: apps with their history, groups, running deployments, last failures. */
export interface Store {
  readonly frameworkId: string;
  apps(): App[];
  groups(): string[];
  deployments(): Plan[];
  failure(appId: string): TaskFailure | undefined;
  /** Versions of an app, the newest first. */
  versions(appId: string): string[];
  version(appId: string, version: string): App | undefined;
  /** Keeps changes and the deployment that makes them, all or nothing; resolves when they are on disk. */
  commit(changes: readonly Change[], plan?: Plan): Promise<void>;
  /** Forgets a deployment that is over; kept with the next commit, as one taken up again in vain does no harm. */
  dropDeployment(id: string): void;
  putFailure(failure: TaskFailure): Promise<void>;
  close(): Promise<void>;
}

/** Marathon's `--zk_max_versions`. */
const MAX_VERSIONS = 50;

/** @throws one sentence when the folder cannot be written. */
export function openStore(dataDir: string): Store {
  const root = openRoot(dataDir);
  const apps = root.openDB<App, string>({ name: "apps" });
  const groups = root.openDB<boolean, string>({ name: "groups" });
  const versions = root.openDB<App, [string, string]>({ name: "versions" });
  const deployments = root.openDB<Plan, string>({ name: "deployments" });
  const failures = root.openDB<TaskFailure, string>({ name: "failures" });
  const facts = root.openDB<string, string>({ name: "facts" });
  const frameworkId = facts.get("frameworkId") ?? `${randomUUID()}-0000`;
  facts.putSync("frameworkId", frameworkId);
  // Read right after they are written, before the database has them.
  const latestFailures = new Map<string, TaskFailure>();
  const ended = new Set<string>();
  const knownGroups = new Set(groups.getKeys());

  const versionKeys = (id: string) => [...versions.getKeys({ start: [id, ""], end: [id, "\uffff"] })];

  function write({ id, from, to }: Change): void {
    if (!to) {
      void apps.remove(id);
      void failures.remove(id);
      latestFailures.delete(id);
      for (const key of versionKeys(id)) void versions.remove(key);
      return;
    }
    if (from === to) return;
    void apps.put(id, to);
    void versions.put([id, to.version], to);
    for (const key of versionKeys(id).slice(0, -MAX_VERSIONS)) void versions.remove(key);
    for (const path of ancestors(id)) {
      if (knownGroups.has(path)) continue;
      knownGroups.add(path);
      void groups.put(path, true);
    }
  }

  return {
    frameworkId,
    apps: () => [...apps.getRange()].map(({ value }) => value),
    groups: () => [...knownGroups],
    deployments: () => [...deployments.getRange()].map(({ value }) => value),
    failure: (appId) => latestFailures.get(appId) ?? failures.get(appId),
    versions: (id) =>
      versionKeys(id)
        .map(([, version]) => version)
        .reverse(),
    version: (id, version) => versions.get([id, version]),
    async commit(changes, plan) {
      await root.transaction(() => {
        for (const id of ended) void deployments.remove(id);
        ended.clear();
        for (const change of changes) write(change);
        if (plan) void deployments.put(plan.id, plan);
      });
    },
    dropDeployment: (id) => void ended.add(id),
    async putFailure(failure) {
      latestFailures.set(failure.appId, failure);
      await failures.put(failure.appId, failure);
    },
    async close() {
      await Promise.all([...ended].map((id) => deployments.remove(id)));
      await root.close();
    },
  };
}

function openRoot(dataDir: string) {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK);
    return open({ path: join(dataDir, "marathon.lmdb"), maxDbs: 8 });
  } catch (error) {
    throw new Error(`The data folder ${dataDir} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
