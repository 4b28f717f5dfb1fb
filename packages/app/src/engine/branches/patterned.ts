import { type EnvName, envName, type KvLayout, kvLayout } from "@sluice/core";
import { branchRef, listBranches, watchBranches } from "@sluice/git";
import { isRemote } from "../../config/load.ts";
import type { EnvironmentConfig } from "../../config/schema.ts";
import { accessOf } from "../../config/source-access.ts";
import {
  type Environment,
  type EnvironmentContext,
  environmentOf,
  milliseconds,
  repositoryOf,
} from "../environment.ts";
import type { GuardRules } from "./guard.ts";
import { branchEnvironment } from "./name.ts";
import { branchMatcher } from "./patterns.ts";

/** An environment of several branches by pattern: each that matches has an environment of its own. */
export interface PatternedEnvironment {
  readonly name: EnvName;
  readonly config: EnvironmentConfig;
  /** Of what is common to the branches: their registry's lock, what is asked of whoever looks at them, their events. */
  readonly layout: KvLayout;
  readonly registryKey: string;
  readonly repository: string;
  readonly local: boolean;
  readonly hosted: boolean;
  readonly rules: GuardRules;
  /** True where a pattern matches the branch. */
  follows(branch: string): boolean;
  /** The environment of one branch, whether it is there or not. */
  environmentOf(branch: string): Environment;
  /** All branches of the repository; whole, or thrown. */
  list(signal: AbortSignal): Promise<readonly string[]>;
  /** Hints that the branches may be others than before; absent where the repository cannot be watched. */
  watch?(signal: AbortSignal): AsyncIterable<void>;
}

/** What the configuration says of its environments of several branches; nothing is connected yet. */
export function patternedEnvironments(context: EnvironmentContext): readonly PatternedEnvironment[] {
  return Object.entries(context.config.environments).flatMap(([name, settings]) => {
    const { branches } = settings.source;
    return branches ? [patternedEnvironment(context, envName(name), { settings, branches })] : [];
  });
}

function patternedEnvironment(
  context: EnvironmentContext,
  name: EnvName,
  { settings, branches }: { readonly settings: EnvironmentConfig; readonly branches: readonly string[] },
): PatternedEnvironment {
  const { config, clock } = context;
  const { mostBranches, vanished } = settings.source;
  const repository = repositoryOf(config, settings);
  const local = !isRemote(repository);
  const matches = branchMatcher(branches);
  return {
    name,
    config: settings,
    layout: kvLayout(config.prefix, name),
    registryKey: `${config.prefix}/${name}/branches`,
    repository,
    local,
    hosted: settings.source.repository === undefined,
    rules: {
      environment: name,
      matches,
      usable,
      mostBranches,
      graceMs: milliseconds(vanished.grace),
      listings: vanished.listings,
    },
    follows: matches,
    environmentOf: (branch) => ofBranch(context, name, { settings, branch }),
    list: (signal) => listBranches({ repository, clock, access: accessOf(settings.source) }, signal),
    ...(local ? { watch: (signal: AbortSignal) => watchBranches(repository, { signal }) } : {}),
  };
}

function ofBranch(
  context: EnvironmentContext,
  patterned: EnvName,
  { settings, branch }: { readonly settings: EnvironmentConfig; readonly branch: string },
): Environment {
  const name = branchEnvironment(patterned, branch);
  const source = { ...settings.source, branch, branches: undefined };
  // Jobs bear their environment's mark: an owner of several branches would make one branch prune what another one runs.
  const owner = settings.owner && settings.owner + name.slice(patterned.length);
  const own = { ...settings, source, owner, deploy: settings.deploy ?? false };
  return environmentOf({ ...context, pattern: patterned }, name, own);
}

/** Git's own rules, and a name that was text all through: what was not cannot be told from another one. */
function usable(branch: string): boolean {
  try {
    branchRef(branch);
    return !branch.includes("\ufffd");
  } catch {
    return false;
  }
}
