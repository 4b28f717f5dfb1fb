import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CommitId, messageOf, SluiceError } from "@sluice/core";
import { readLocalRef } from "../refs/local-ref.ts";

/**
 * Moves a ref of a local repository, if it still is where it was (undefined: it does not exist). Git's own lock file keeps out
 * whoever else would move it. @returns false where it moved, or somebody is moving it right now.
 * @throws GIT_FAILED where it cannot be written.
 */
export async function moveRef(
  gitDir: string,
  ref: string,
  { from, to }: { readonly from: CommitId | undefined; readonly to: CommitId },
): Promise<boolean> {
  const lock = join(gitDir, `${ref}.lock`);
  try {
    await mkdir(dirname(lock), { recursive: true });
    const file = await open(lock, "wx");
    try {
      try {
        if ((await readLocalRef(gitDir, ref)) !== from) return false;
        await file.writeFile(`${to}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(lock, join(gitDir, ref));
      return true;
    } finally {
      await rm(lock, { force: true });
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    if (cause instanceof SluiceError) throw cause;
    throw new SluiceError("GIT_FAILED", `the ref ${ref} cannot be moved: ${messageOf(cause)}`, { cause });
  }
}
