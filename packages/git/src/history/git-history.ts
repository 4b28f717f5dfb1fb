import {
  type CommitId,
  type CommitInfo,
  decodePath,
  type FilePath,
  isSluiceError,
  type ObjectId,
} from "@sluice/core";
import { chooseProgram, chooseReader, chooseRemote } from "../choose.ts";
import { folderTree, readCommit } from "../commits.ts";
import type { GitSourceOptions } from "../git-source.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { branchRef } from "../refs/branch-name.ts";
import { findGitDir } from "../refs/git-dir.ts";
import { readLocalRef } from "../refs/local-ref.ts";
import { type TreeStore, treeStore } from "../trees/tree-store.ts";

export type GitHistoryOptions = Omit<GitSourceOptions, "quarantine">;

/** A commit of a branch, and one file as it is there. */
export interface HistoryStep {
  readonly info: CommitInfo;
  /** Undefined: the commit has no such file. */
  readonly blob: ObjectId | undefined;
}

/** What a branch was, commit by commit. */
export interface GitHistory {
  /**
   * The branch's commits from its newest one back, each the first parent of the one before, as a reader of the branch saw
   * them come. Ends where the history does, or where the clone was cut off. @throws as `Source`.
   * @param file which one of a commit, asked anew before each.
   */
  walk(file: () => FilePath, signal?: AbortSignal): AsyncIterable<HistoryStep>;
  /** Lets go of processes and file handles. */
  close(): Promise<void>;
}

/** @throws as `gitSource`. */
export async function gitHistory(options: GitHistoryOptions): Promise<GitHistory> {
  const ref = branchRef(options.branch);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const program = await chooseProgram(options);
  const remote = await chooseRemote(options, limits, ref, program);
  const gitDir = remote ? remote.gitDir : () => findGitDir(options.repository);
  const reader = await chooseReader(options, limits, program, gitDir);
  const store = treeStore(reader, limits.maxFiles);

  return {
    async *walk(file, signal) {
      let commit = remote ? await remote.head(signal) : await readLocalRef(await gitDir(), ref);
      for (let first = true; commit !== undefined; first = false) {
        const found = await readCommit(reader, commit, signal).catch((error: unknown) => {
          if (!first && isSluiceError(error, "GIT_OBJECT_MISSING")) return undefined;
          throw error;
        });
        if (!found) return;
        const root = await folderTree(store, found.tree, options.path ?? "", signal);
        yield { info: found.info, blob: await blobAt(store, root, file(), signal) };
        commit = found.parents[0] as CommitId | undefined;
      }
    },
    close: async () => {
      await Promise.all([reader.close(), remote?.close()]);
    },
  };
}

async function blobAt(
  store: TreeStore,
  root: ObjectId | undefined,
  file: FilePath,
  signal: AbortSignal | undefined,
): Promise<ObjectId | undefined> {
  let tree = root;
  const segments = Buffer.from(decodePath(file)).toString("latin1").split("/");
  const name = segments.pop();
  for (const segment of segments) {
    if (tree === undefined) return undefined;
    const entries = await store.entries(tree, file, signal);
    tree = entries.find((one) => one.name === segment && one.kind === "tree")?.oid;
  }
  const entries = tree === undefined ? [] : await store.entries(tree, file, signal);
  return entries.find((one) => one.name === name && one.kind === "file")?.oid;
}
