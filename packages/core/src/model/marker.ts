import type { FileSetDigest } from "./digest.ts";
import type { CommitId, ObjectId, Revision } from "./ids.ts";
import type { FilePath } from "./path.ts";

/** `<env>/revision`: which revision the files under `<env>/files/` are, and whether all of it is there. */
export interface RevisionMarker {
  readonly state: "synced" | "applying";
  /** The revision that is there (`synced`) or on its way (`applying`). */
  readonly revision: Revision;
  /** The revision that was whole before. */
  readonly previous: Revision | undefined;
  readonly files: number;
  readonly digest: FileSetDigest;
  readonly at: string;
  /**
   * What the revision holds that is no plain file and so is not under `files/`, sorted by path; absent: nothing. A job whose file
   * is one of these, or lies below one, is not gone from Git. "too many": more than can be listed, so nothing is known to be gone.
   */
  readonly skipped?: readonly SkippedFile[] | "too many";
}

/** A path of the revision that is not mirrored, and what it is. */
export interface SkippedFile {
  readonly path: FilePath;
  readonly kind: "symlink" | "submodule" | "lfs";
}

export interface FileChange {
  readonly kind: "created" | "updated" | "deleted";
  readonly path: FilePath;
  /** The new content's id; absent for `deleted`. */
  readonly oid?: ObjectId;
}

/** Who made a commit, when, and what they called it. */
export interface CommitInfo {
  readonly commit: CommitId;
  readonly author: string;
  readonly email: string;
  /** When it was written; ISO 8601. */
  readonly at: string;
  /** When it was made part of the history, later than `at` after a rebase; ISO 8601. */
  readonly committedAt?: string;
  /** The first line of the message. */
  readonly subject: string;
}

/** `<env>/changes/<sha>`: what a revision changed against the one before it in this KV. */
export interface ChangesRecord {
  readonly revision: Revision;
  readonly previous: Revision | undefined;
  /** Absent where there are more than fit one value: a reader then reads the whole subtree. */
  readonly changes: readonly FileChange[] | undefined;
  readonly commit: CommitInfo;
}
