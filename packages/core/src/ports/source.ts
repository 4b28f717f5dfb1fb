import type { CommitId, ObjectId } from "../model/ids.ts";
import type { CommitInfo } from "../model/marker.ts";
import type { FilePath } from "../model/path.ts";

/**
 * A file of a commit's tree. Symlinks, submodules and pointers of Git LFS are named, so that they can be warned about; they
 * are never followed. A source that does not look into files says "file" of a pointer.
 */
export interface TreeFile {
  readonly path: FilePath;
  readonly oid: ObjectId;
  readonly kind: "file" | "symlink" | "submodule" | "lfs";
}

/** One path that differs between two trees; a missing side is absent. A rename is a deletion and a creation. */
export interface TreeChange {
  readonly path: FilePath;
  readonly from?: TreeFile;
  readonly to?: TreeFile;
}

/** The contents of files, by their ids. */
export interface Blobs {
  /** Their bytes, in the order asked, a few at a time. */
  read(oids: readonly ObjectId[], signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** How long they are, in the order asked, at a fraction of what reading them costs. Absent where it is none. */
  sizes?(oids: readonly ObjectId[], signal?: AbortSignal): Promise<readonly number[]>;
}

/**
 * One branch, or one folder of it, of a Git repository. Every member may throw GIT_FAILED or GIT_DENIED (transient),
 * GIT_OBJECT_MISSING or LIMIT_EXCEEDED; an answer is always whole.
 */
export interface Source {
  /** The branch's name, for revisions. */
  readonly branch: string;
  /** The branch's newest commit, fetched if the repository is elsewhere; undefined where the branch certainly does not exist. */
  head(signal?: AbortSignal): Promise<CommitId | undefined>;
  /** Every file, in no order; paths are relative to the source's folder. An absent folder is an empty tree. */
  tree(commit: CommitId, signal?: AbortSignal): Promise<readonly TreeFile[]>;
  /** What differs, at a cost that follows the difference. Any two commits whose objects are there, related or not. */
  changes(from: CommitId, to: CommitId, signal?: AbortSignal): Promise<readonly TreeChange[]>;
  readonly blobs: Blobs;
  /** Who wrote a commit, when, and what about. */
  describe(commit: CommitId, signal?: AbortSignal): Promise<CommitInfo>;
  /**
   * Yields once it watches, and then when the branch may have moved; hints only. Absent where the repository cannot be watched.
   */
  watch?(signal: AbortSignal): AsyncIterable<void>;
  /** Lets go of processes and file handles. */
  close(): Promise<void>;
}
