import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { messageOf, type ObjectId, SluiceError } from "@sluice/core";

const compress = promisify(deflate);

/**
 * Puts an object into a repository as a file of its own; it appears whole or not at all, and one that is there stays.
 * @throws GIT_FAILED where it cannot be written.
 */
export async function writeObject(
  gitDir: string,
  type: "blob" | "tree" | "commit",
  content: Uint8Array,
): Promise<ObjectId> {
  const bytes = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const oid = createHash("sha1").update(bytes).digest("hex") as ObjectId;
  const folder = join(gitDir, "objects", oid.slice(0, 2));
  const file = join(folder, oid.slice(2));
  try {
    if (await isThere(file)) return oid;
    await mkdir(folder, { recursive: true });
    const draft = join(gitDir, "objects", `tmp_obj_${randomUUID()}`);
    try {
      await writeFile(draft, await compress(bytes), { mode: 0o444, flag: "wx", flush: true });
      await rename(draft, file);
    } finally {
      await rm(draft, { force: true });
    }
    return oid;
  } catch (cause) {
    throw new SluiceError("GIT_FAILED", `an object cannot be written: ${messageOf(cause)}`, { cause });
  }
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
