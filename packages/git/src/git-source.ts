import {
  type Blobs,
  type Clock,
  type CommitId,
  messageOf,
  type ObjectId,
  type Random,
  type Source,
  type TreeFile,
} from "@sluice/core";
import { folderTree, readCommit } from "./commits.ts";
import { DEFAULT_LIMITS, type SourceLimits } from "./limits.ts";
import { distrusting } from "./objects/distrusting.ts";
import type { ObjectReader } from "./objects/object-reader.ts";
import { readInOrder, sizesInOrder } from "./objects/read-in-order.ts";
import { openRepository } from "./open-repository.ts";
import { branchRef } from "./refs/branch-name.ts";
import { readLocalRef } from "./refs/local-ref.ts";
import { watchRef } from "./refs/watch-ref.ts";
import type { RemoteAccess } from "./remote/access.ts";
import { type AttributesAbove, attributesAbove } from "./trees/attributes-above.ts";
import { compareTrees } from "./trees/compare-trees.ts";
import type { TreeCache } from "./trees/tree-cache.ts";
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
  /** How a remote repository is reached: credentials, certificates, ssh. */
  readonly access?: RemoteAccess;
  /** Each has its default. */
  readonly limits?: Partial<SourceLimits>;
  /** What this source and others have read of trees. Default: a cache of its own, of as many entries as `maxFiles`. */
  readonly trees?: TreeCache;
  /** Told in a sentence what does not stop the source but a person may want to know. */
  readonly log?: (message: string) => void;
}

/** What only Git has. */
export interface GitSource extends Source {
  /** The `.gitattributes` that stand above the source's folder, the repository's root first; they hold for its files too. */
  attributesAbove(commit: CommitId, signal?: AbortSignal): Promise<readonly AttributesAbove[]>;
}

/**
 * One branch, or one folder of it, of a Git repository.
 * @throws GIT_REF_INVALID, USAGE for a URL that cannot be used, GIT_MISSING where a git program is needed and is not there.
 */
export async function gitSource(options: GitSourceOptions): Promise<GitSource> {
  const ref = branchRef(options.branch);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { remote, reader, gitDir } = await openRepository(options, limits, ref);
  const whole = remote ? distrusting(reader, remote.distrust) : reader;
  const store = treeStore(whole, limits.maxFiles, options.trees);
  let newest: CommitId | undefined;

  async function head(signal?: AbortSignal): Promise<CommitId | undefined> {
    newest = remote ? await remote.head(signal) : await readLocalRef(await gitDir(), ref);
    return newest;
  }
  /** A commit somebody names may be gone for good; the newest one and what a commit consists of must be there. */
  function commitOf(commit: CommitId, signal: AbortSignal | undefined) {
    return readCommit(commit === newest ? whole : reader, commit, signal);
  }
  async function rootOf(commit: CommitId, signal: AbortSignal | undefined): Promise<ObjectId | undefined> {
    const { tree } = await commitOf(commit, signal);
    return folderTree(store, tree, options.path ?? "", signal);
  }

  const source: GitSource = {
    branch: options.branch,
    head,
    async tree(commit, signal) {
      const to = await rootOf(commit, signal);
      const changes = await compareTrees(store, { from: undefined, to, limits }, signal);
      return changes.map((change) => change.to as TreeFile);
    },
    async changes(from, to, signal) {
      const [before, after] = await Promise.all([rootOf(from, signal), rootOf(to, signal)]);
      return compareTrees(store, { from: before, to: after, limits }, signal);
    },
    blobs: blobsOf(whole),
    describe: async (commit, signal) => (await commitOf(commit, signal)).info,
    async attributesAbove(commit, signal) {
      if (!options.path) return [];
      return attributesAbove(store, (await commitOf(commit, signal)).tree, options.path, signal);
    },
    close: async () => {
      await Promise.all([reader.close(), remote?.close()]);
    },
  };
  if (remote) return source;
  return { ...source, watch: (signal) => watchLocal(gitDir, ref, options, signal) };
}

function blobsOf(reader: ObjectReader): Blobs {
  return {
    read: (oids, signal) => readInOrder(reader, oids, signal),
    ...(reader.many
      ? { sizes: (oids: readonly ObjectId[], signal?: AbortSignal) => sizesInOrder(reader, oids, signal) }
      : {}),
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
