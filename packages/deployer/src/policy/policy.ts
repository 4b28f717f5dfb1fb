import { DEFAULT_PRUNE_LIMITS, type FilePath, type PruneLimits, type TargetName } from "@sluice/core";
import type { Window } from "./windows.ts";

/** What `deploy.yaml` says of one target, with defaults filled in. */
export interface TargetPolicy {
  /** The folder of the environment that feeds the target, as its KV keys spell it, without slashes around; empty: the top. */
  readonly folder: string;
  /** Targets whose changed jobs must be healthy before a job of this one is sent. */
  readonly dependsOn: readonly TargetName[];
  readonly owner: string | undefined;
  readonly prune: PruneLimits | "never";
  /** How long a job must be gone from Git before it is removed, in milliseconds. */
  readonly graceMs: number;
  /** Health deadline in milliseconds; undefined: the engine's own. */
  readonly waitMs: number | undefined;
  /** False: drift is only reported. Undefined: as the engine's configuration says. */
  readonly heal: boolean | undefined;
  readonly suspend: boolean;
  /** When the target may be changed; none: at any time. */
  readonly windows: readonly Window[];
}

/** The policy of an environment: one entry for each target of the engine. */
export type Policy = ReadonlyMap<TargetName, TargetPolicy>;

/** Where the policy stands: at the environment's top. */
export const POLICY_FILE = "deploy.yaml" as FilePath;

/** The policy of an environment without a `deploy.yaml`: each target is fed by the folder of its name. */
export function defaultPolicy(targets: Iterable<TargetName>): Policy {
  return new Map([...targets].map((target) => [target, defaultsFor(target)]));
}

export function defaultsFor(target: TargetName): TargetPolicy {
  return {
    folder: target,
    dependsOn: [],
    owner: undefined,
    prune: DEFAULT_PRUNE_LIMITS,
    graceMs: 0,
    waitMs: undefined,
    heal: undefined,
    suspend: false,
    windows: [],
  };
}

/** The target a file feeds: that of the deepest folder it is in; undefined for a file outside every folder. */
export function targetOfFile(path: FilePath, policy: Policy): TargetName | undefined {
  if (path === POLICY_FILE) return undefined;
  let found: TargetName | undefined;
  let depth = -1;
  for (const [target, { folder }] of policy) {
    const inside = folder === "" || path.startsWith(`${folder}/`);
    if (inside && folder.length > depth) {
      found = target;
      depth = folder.length;
    }
  }
  return found;
}
