import { join } from "node:path";
import type { Clock, CommitNotes, Committer, Person, Random } from "@sluice/core";
import { type GitHistory, gitCommitter, gitHistory, gitNotes, type SigningKey } from "@sluice/git";
import type { CommitsConfig } from "../config/commits-schema.ts";
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

/** Commits to the environment's branch. @throws as `gitCommitter`. */
export function openCommitter(environment: Environment, context: RepositoryContext): Promise<Committer> {
  const { branch } = environment.config.source;
  const { name, email } = context.config.commits;
  const signing = signingOf(context.config.commits);
  const committer: Person = { name, email };
  return gitCommitter({
    ...repositoryOptions(environment, context),
    branch,
    committer,
    ...(signing ? { signing } : {}),
  });
}

function signingOf({ signingKeyFile, openpgpKey, openpgpHome }: CommitsConfig): SigningKey | undefined {
  if (signingKeyFile) return { format: "ssh", keyFile: signingKeyFile };
  if (!openpgpKey) return undefined;
  return { format: "openpgp", keyId: openpgpKey, ...(openpgpHome ? { home: openpgpHome } : {}) };
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
