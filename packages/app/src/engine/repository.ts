import { join } from "node:path";
import type { Clock, CommitNotes, Committer, Person, Random } from "@sluice/core";
import { type GitHistory, gitCommitter, gitHistory, gitNotes } from "@sluice/git";
import type { Config } from "../config/schema.ts";
import { accessOf, limitsOf } from "../config/source-access.ts";
import type { Environment } from "./environment.ts";

/** What a repository is opened with, besides the environment. */
export interface RepositoryContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
}

/** What the environment's branch was, commit by commit. @throws as `gitSource`. */
export function openHistory(environment: Environment, context: RepositoryContext): Promise<GitHistory> {
  const { branch } = environment.config.source;
  return gitHistory({ ...repositoryOptions(environment, context), branch });
}

/** The notes beside the commits of the environment's repository. @throws as `gitSource`. */
export function openNotes(environment: Environment, context: RepositoryContext): Promise<CommitNotes> {
  return gitNotes(repositoryOptions(environment, context));
}

/** In whose name commits are made that people ask this engine for. */
const SLUICE: Person = { name: "Sluice", email: "sluice@localhost" };

/** Commits to the environment's branch. @throws as `gitCommitter`. */
export function openCommitter(environment: Environment, context: RepositoryContext): Promise<Committer> {
  const { branch } = environment.config.source;
  return gitCommitter({ ...repositoryOptions(environment, context), branch, committer: SLUICE });
}

/** How an environment's repository is reached, for whatever is done with it beside reading its branch. */
export function repositoryOptions(
  { repository, config: { source } }: Environment,
  { config, clock, random }: RepositoryContext,
) {
  return {
    repository,
    // The sources' own: environments of one repository share its clone.
    cacheDir: join(config.dataDir, "clones"),
    clock,
    random,
    access: accessOf(source),
    limits: limitsOf(config.limits),
    ...(source.path ? { path: source.path } : {}),
  };
}
