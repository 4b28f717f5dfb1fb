import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { open } from "lmdb";
import type { App, Change, Edit, GroupFacts, TaskFailure } from "./model.ts";
import type { Plan } from "./root/plan.ts";

/** What survives the process: apps with their history, groups, running deployments, last failures. */
export interface Store {
  readonly frameworkId: string;
  apps(): App[];
  groups(): [string, GroupFacts][];
  deployments(): Plan[];
  failure(appId: string): TaskFailure | undefined;
  /** Versions of an app, the newest first. */
  versions(appId: string): string[];
  version(appId: string, version: string): App | undefined;
  /** Writes to the root group that are remembered, the newest first; each leads back to the one before. */
  rootVersions(): string[];
  rootWrite(version: string): Edit | undefined;
  /** Keeps a write and the deployment that carries it out, all or nothing; resolves when they are on disk. */
  commit(version: string, edit: Edit, plan?: Plan): Promise<void>;
  /** Forgets a deployment that is over; kept with the next commit, as one taken up again in vain does no harm. */
  dropDeployment(id: string): void;
  putFailure(failure: TaskFailure): Promise<void>;
  close(): Promise<void>;
}

/** Marathon's `--zk_max_versions`. */
const MAX_VERSIONS = 50;

/** @param dataDir see `claimFolder`. @param durable see `EmbeddedMarathonOptions.durable`. */
export function openStore(dataDir: string, durable: boolean): Store {
  const root = open({ path: join(dataDir, "marathon.lmdb"), maxDbs: 8, noSync: !durable });
  const apps = root.openDB<App, string>({ name: "apps" });
  const groups = root.openDB<GroupFacts, string>({ name: "groups" });
  const versions = root.openDB<App, [string, string]>({ name: "versions" });
  const writes = root.openDB<Edit, string>({ name: "writes" });
  const deployments = root.openDB<Plan, string>({ name: "deployments" });
  const failures = root.openDB<TaskFailure, string>({ name: "failures" });
  const facts = root.openDB<string, string>({ name: "facts" });
  const frameworkId = facts.get("frameworkId") ?? `${randomUUID()}-0000`;
  facts.putSync("frameworkId", frameworkId);
  // Read right after they are written, before the database has them.
  const latestFailures = new Map<string, TaskFailure>();
  const ended = new Set<string>();
  const written = [...writes.getKeys()];

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
    if (from) for (const key of versionKeys(id).slice(0, -MAX_VERSIONS)) void versions.remove(key);
  }

  function remember(version: string, edit: Edit): void {
    void writes.put(version, backwards(edit));
    written.push(version);
    for (const old of written.splice(0, written.length - MAX_VERSIONS)) void writes.remove(old);
  }

  return {
    frameworkId,
    apps: () => [...apps.getRange()].map(({ value }) => value),
    groups: () => [...groups.getRange()].map(({ key, value }) => [key, value]),
    deployments: () => [...deployments.getRange()].map(({ value }) => value),
    failure: (appId) => latestFailures.get(appId) ?? failures.get(appId),
    versions: (id) =>
      versionKeys(id)
        .map(([, version]) => version)
        .reverse(),
    version: (id, version) => versions.get([id, version]),
    rootVersions: () => [...written].reverse(),
    rootWrite: (version) => writes.get(version),
    async commit(version, edit, plan) {
      await root.transaction(() => {
        for (const id of ended) void deployments.remove(id);
        ended.clear();
        for (const change of edit.apps) write(change);
        for (const { path, to } of edit.groups) void (to ? groups.put(path, to) : groups.remove(path));
        remember(version, edit);
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

/** What undoes a write: the same, from its end to its beginning. What it made is not needed for that. */
function backwards({ apps, groups }: Edit): Edit {
  return {
    apps: apps.map(({ id, from }) => ({ id, ...(from && { to: from }) })),
    groups: groups.map(({ path, from }) => ({ path, ...(from && { to: from }) })),
  };
}
