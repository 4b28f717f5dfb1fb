import { type ObjectId, SluiceError } from "@sluice/core";

export interface GitObject {
  readonly type: "commit" | "tree" | "blob" | "tag";
  /** The object's content, without Git's header. */
  readonly bytes: Buffer;
}

/** An object as its header tells it. */
export interface ObjectSize {
  readonly type: GitObject["type"];
  /** Bytes of its content. */
  readonly size: number;
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
  /**
   * How long an object is, without its content being read. Absent where that is no cheaper than reading it.
   * @throws GIT_OBJECT_MISSING, GIT_FAILED
   */
  size?(oid: ObjectId, signal?: AbortSignal): Promise<ObjectSize>;
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
