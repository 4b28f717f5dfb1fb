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
  /**
   * What reads many blobs at the price of a few. Absent where there is no such thing, and undefined where that turns out
   * only when the reader is used.
   */
  many?(): Promise<ManyBlobs | undefined>;
  /** Gets ready for questions that will come. */
  start?(): void;
  close(): Promise<void>;
}

/** Blobs by the list. */
export interface ManyBlobs {
  /**
   * How long each is, in the order asked; none is read for it.
   * @throws GIT_OBJECT_MISSING, GIT_FAILED, also for what is no blob.
   */
  sizes(oids: readonly ObjectId[], signal?: AbortSignal): Promise<readonly number[]>;
  /**
   * Their bytes in the order asked, up to the first that cannot be read. They all come into memory, so a list should be
   * short. @param sizes how long they are, as `sizes` told.
   */
  contents(oids: readonly ObjectId[], sizes: readonly number[], signal?: AbortSignal): Promise<BlobContents>;
}

export interface BlobContents {
  /** Each may be a view of memory it shares with its neighbours: who keeps one of many for long should copy it. */
  readonly blobs: readonly Uint8Array[];
  /** Why the one after them cannot be read, as `read` would throw it; absent where they are all. */
  readonly failure?: SluiceError;
}

/** The object is there, but its bytes are not what its id says, or are cut short. */
export class DamagedObject extends SluiceError {}

export function missingObject(oid: ObjectId): SluiceError {
  return new SluiceError("GIT_OBJECT_MISSING", `the repository has no object ${oid}`);
}

export function tooLarge(oid: ObjectId, size: number): SluiceError {
  return new SluiceError("FILE_TOO_LARGE", `the object ${oid} is ${size} bytes long, too long to be read`);
}

export function notBlob(oid: ObjectId, type: GitObject["type"]): SluiceError {
  return new SluiceError("GIT_FAILED", `the object ${oid} is a ${type}, not a blob`);
}
