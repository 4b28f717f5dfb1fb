import type { ObjectId } from "@sluice/core";

export interface GitObject {
  readonly type: "commit" | "tree" | "blob" | "tag";
  /** The object's content, without Git's header. */
  readonly bytes: Buffer;
}

/**
 * The object database of one repository. Objects that arrive after the reader was made are seen.
 */
export interface ObjectReader {
  /**
   * Calls may overlap; they are answered in the order asked.
   * @throws GIT_OBJECT_MISSING, FILE_TOO_LARGE for an object beyond the reader's limit, GIT_FAILED for what may pass.
   */
  read(oid: ObjectId, signal?: AbortSignal): Promise<GitObject>;
  close(): Promise<void>;
}
