import type { CommitId } from "../model/ids.ts";
import type { FilePath } from "../model/path.ts";

/** One file of a commit to be made. The path is relative to the folder the committer works in, as a Source's is. */
export interface FileEdit {
  readonly path: FilePath;
  /** The file's new bytes; undefined: the file is deleted. A file that is there keeps its mode, a new one is not executable. */
  readonly content: Uint8Array | undefined;
}

/** Who a commit names. */
export interface Person {
  readonly name: string;
  readonly email: string;
}

export interface CommitRequest {
  /** The commit the edits were made from. The new one stands on top of it, and nothing else. */
  readonly parent: CommitId;
  /** Each path at most once. */
  readonly edits: readonly FileEdit[];
  /** A subject line, and after an empty line what else there is to say. */
  readonly message: string;
  /** Whose change it is. Default: the committer's own author. */
  readonly author?: Person;
  /**
   * Told the commit's id before the branch may move to it, so that after a crash the caller can ask whether the repository has
   * it. What it throws is thrown, and the branch stays.
   */
  readonly made?: (commit: CommitId) => Promise<void>;
}

/** Commits to one branch of a Git repository, or to one folder of it. */
export interface Committer {
  /**
   * Makes the commit and moves the branch to it, but only from `parent`: never forced, so nobody's commit is lost. The
   * repository's hooks and rules judge it like a person's push. Where it cannot be told whether the branch moved, it is looked
   * at again, so that an answer that was lost is not a commit that is made twice.
   * @returns the new commit; `parent` where the edits change nothing.
   * @throws GIT_CONFLICT where the branch is no longer at `parent`: read it again, edit again, try again;
   *   GIT_REFUSED where a hook or a rule of the repository said no, with its words;
   *   GIT_FAILED, GIT_DENIED (transient); USAGE for a path in whose way a file, link or submodule stands.
   */
  commit(request: CommitRequest, signal?: AbortSignal): Promise<CommitId>;
  /** Lets go of processes and file handles. */
  close(): Promise<void>;
}
