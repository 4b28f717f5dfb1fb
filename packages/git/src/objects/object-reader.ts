import { type ObjectId, SluiceError } from "@sluice/core";

export interface GitObject {
  readonly type: "commit" | "tree" | "blob" | "tag";
  /** The object's content, without Git's header. */
  readonly bytes: Buffer;
}

/** The longest object that is read, in bytes, by its type. */
export type LargestBytes = (type: GitObject["type"]) => number;

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

/** The object is there, but its bytes are not what its id says, or are cut short. */
export class DamagedObject extends SluiceError {}

export function missingObject(oid: ObjectId): SluiceError {
  return new SluiceError("GIT_OBJECT_MISSING", `the repository has no object ${oid}`);
}

export function tooLarge(oid: ObjectId, size: number): SluiceError {
  return new SluiceError("FILE_TOO_LARGE", `the object ${oid} is ${size} bytes long, too long to be read`);
}
