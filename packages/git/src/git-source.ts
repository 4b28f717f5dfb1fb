import { delimiter } from "node:path";
import {
  type Clock,
  type CommitId,
  messageOf,
  type ObjectId,
  type Random,
  type Source,
  type TreeFile,
} from "@sluice/core";
import { folderTree, readCommit } from "./commits.ts";
import { catFileReader } from "./objects/cat-file.ts";
import type { ObjectReader } from "./objects/object-reader.ts";
import { readInOrder } from "./objects/read-in-order.ts";
import { type GitProgram, gitEnvironment, hasGit } from "./program.ts";
import { branchRef } from "./refs/branch-name.ts";
import { findGitDir } from "./refs/git-dir.ts";
import { readLocalRef } from "./refs/local-ref.ts";
import { watchRef } from "./refs/watch-ref.ts";
import { remoteAddress } from "./remote/address.ts";
import type { Remote } from "./remote/remote.ts";
import { systemRemote } from "./remote/system-remote.ts";
import { compareTrees } from "./trees/compare-trees.ts";
import { treeStore } from "./trees/tree-store.ts";

export interface GitSourceOptions {
  /** A path of a local repository, bare or not, or an http, https, ssh, git or file URL, or `user@host:path`. */
  readonly repository: string;
  readonly branch: string;
  /** The folder of the repository that is the source's root; default: all of it. */
  readonly path?: string;
  /** Where clones of remote repositories are kept. */
  readonly cacheDir: string;
  readonly clock: Clock;
  readonly random: Random;
  /** How long one git command, or git's silence while it owes an answer, may last. Default: 60 s. */
  readonly timeoutMs?: number;
  /**
   * Objects of a push that is not accepted yet, as a pre-receive hook's environment names them:
   * GIT_OBJECT_DIRECTORY and GIT_ALTERNATE_OBJECT_DIRECTORIES.
   */
  readonly quarantine?: { readonly objectDirectory: string; readonly alternates: string };
  /** The git program; false: do without. Default: `git` where there is one, else without. */
  readonly git?: string | false;
  /** Objects larger than this are refused (FILE_TOO_LARGE) instead of read. Default: 64 MiB. */
  readonly largestBytes?: number;
  /** Told in a sentence what does not stop the source but a person may want to know. */
  readonly log?: (message: string) => void;
}

/**
 * One branch, or one folder of it, of a Git repository.
 * @throws GIT_REF_INVALID, USAGE for a URL that cannot be used, GIT_MISSING where a git program is needed and is not there.
 */
export async function gitSource(options: GitSourceOptions): Promise<Source> {
  const ref = branchRef(options.branch);
  const program = await chooseProgram(options);
  const remote = await chooseRemote(options, ref, program);
  const gitDir = remote ? remote.gitDir : onceFound(() => findGitDir(options.repository));
  const reader = await chooseReader(options, program, gitDir);
  const store = treeStore(reader);

  async function rootOf(commit: CommitId, signal: AbortSignal | undefined): Promise<ObjectId | undefined> {
    const { tree } = await readCommit(reader, commit, signal);
    return folderTree(store, tree, options.path ?? "", signal);
  }

  const source: Source = {
    branch: options.branch,
    head: remote ? remote.head : async () => readLocalRef(await gitDir(), ref),
    async tree(commit, signal) {
      const sides = { from: undefined, to: await rootOf(commit, signal) };
      const changes = await compareTrees(store, sides, signal);
      return changes.map((change) => change.to as TreeFile);
    },
    async changes(from, to, signal) {
      const [before, after] = await Promise.all([rootOf(from, signal), rootOf(to, signal)]);
      return compareTrees(store, { from: before, to: after }, signal);
    },
    read: (oids, signal) => readInOrder(reader, oids, signal),
    describe: async (commit, signal) => (await readCommit(reader, commit, signal)).info,
    close: () => reader.close(),
  };
  if (remote) return source;
  return { ...source, watch: (signal) => watchLocal(gitDir, ref, options, signal) };
}

async function chooseProgram(options: GitSourceOptions): Promise<GitProgram | undefined> {
  if (options.git === false) return undefined;
  const program = {
    git: options.git ?? "git",
    timeoutMs: options.timeoutMs ?? 60_000,
    env: gitEnvironment(),
    clock: options.clock,
  };
  if (options.git !== undefined || (await hasGit(program))) return program;
  options.log?.(
    "no git program was found: objects are read without one, which is slower for large repositories",
  );
  return undefined;
}

async function chooseRemote(
  options: GitSourceOptions,
  ref: string,
  program: GitProgram | undefined,
): Promise<Remote | undefined> {
  const address = remoteAddress(options.repository);
  if (!address) return undefined;
  const { branch, cacheDir, clock } = options;
  const shared = { address, branch, ref, cacheDir };
  if (program) return systemRemote(program, shared);
  // Loaded only where there is no git program: it takes a tenth of a second.
  const { pureRemote } = await import("./remote/pure-remote.ts");
  return pureRemote({ ...shared, clock, timeoutMs: options.timeoutMs ?? 60_000 });
}

async function chooseReader(
  options: GitSourceOptions,
  program: GitProgram | undefined,
  gitDir: () => Promise<string>,
): Promise<ObjectReader> {
  const { quarantine } = options;
  const largestBytes = options.largestBytes ?? 64 * 1024 * 1024;
  if (!program) {
    const others = quarantine?.alternates.split(delimiter).filter((one) => one !== "") ?? [];
    const directories = quarantine ? { objectDirectories: [quarantine.objectDirectory, ...others] } : {};
    const { pureReader } = await import("./objects/pure-reader.ts");
    return pureReader({ gitDir, largestBytes, ...directories });
  }
  const objects = quarantine && {
    GIT_OBJECT_DIRECTORY: quarantine.objectDirectory,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: quarantine.alternates,
  };
  const { git, timeoutMs } = program;
  const env = { ...program.env, ...objects };
  return catFileReader({ git, gitDir, env, clock: options.clock, timeoutMs, largestBytes });
}

/** Remembers the folder once it was found; a repository that is not there yet may come. */
function onceFound(find: () => Promise<string>): () => Promise<string> {
  let found: string | undefined;
  return async () => {
    found ??= await find();
    return found;
  };
}

async function* watchLocal(
  gitDir: () => Promise<string>,
  ref: string,
  options: GitSourceOptions,
  signal: AbortSignal,
): AsyncIterable<void> {
  const complain = (error: unknown) =>
    options.log?.(`the repository cannot be watched, so it is polled: ${messageOf(error)}`);
  try {
    yield* watchRef(await gitDir(), ref, { signal, onError: complain });
  } catch (error) {
    complain(error);
  }
}
