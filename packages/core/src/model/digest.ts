import { createHash, hash } from "node:crypto";
import type { ObjectId } from "./ids.ts";
import type { FilePath } from "./path.ts";

/**
 * A digest of a set of files that can be moved along with a change instead of being computed anew: the exclusive or of
 * SHA-256(path NUL object id) over all files, as 64 hex digits. It tells a mix of two revisions from a whole one; it is no
 * defence against someone who crafts files, and need not be, since whoever writes the files also writes the digest.
 */
export type FileSetDigest = string;

export const EMPTY_DIGEST: FileSetDigest = "0".repeat(64);

/** Adds the files to the digest; a file already in it is taken out, so `[...removed, ...added]` moves it from old to new. */
export function toggleFiles(
  digest: FileSetDigest,
  files: Iterable<{ path: FilePath; oid: ObjectId }>,
): FileSetDigest {
  const sum = Buffer.from(digest, "hex");
  for (const { path, oid } of files) {
    const one = hash("sha256", `${path}\0${oid}`, "buffer");
    for (let at = 0; at < 32; at++) sum[at] = (sum[at] as number) ^ (one[at] as number);
  }
  return sum.toString("hex");
}

/** The id Git gives these bytes as a blob. */
export function blobId(bytes: Uint8Array): ObjectId {
  return createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex") as ObjectId;
}
