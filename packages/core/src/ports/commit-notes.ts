import type { CommitId } from "../model/ids.ts";

/** A text to append to a commit's note. */
export interface NoteText {
  readonly commit: CommitId;
  /** Whole lines, each ended. */
  readonly text: string;
}

/**
 * Notes beside the commits of a deploy repo, under one ref: what is said of a commit after it was made, without changing it.
 * Members may throw GIT_FAILED, GIT_DENIED (transient), GIT_OBJECT_MISSING or LIMIT_EXCEEDED.
 */
export interface CommitNotes {
  /** The notes of these commits, as they are now; a commit without one is left out. */
  read(commits: readonly CommitId[], signal?: AbortSignal): Promise<ReadonlyMap<CommitId, string>>;
  /**
   * Appends to all of these notes, or to none: one step of the ref, compared and set, and made again on what others wrote
   * meanwhile. Lines that a note holds already are not appended again, so that it may be repeated.
   */
  append(texts: readonly NoteText[], signal?: AbortSignal): Promise<void>;
  /** Lets go of processes and file handles. */
  close(): Promise<void>;
}
