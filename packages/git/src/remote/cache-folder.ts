import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, SluiceError } from "@sluice/core";
import { isAbsent, isRepository } from "../refs/git-dir.ts";

const OWNER_FILE = "sluice-remote";

/**
 * The bare clone of a URL under `cacheDir`, made if need be by `init`; it appears whole or not at all. A folder that belongs
 * to another URL, or that is no repository any more, is thrown away and made anew.
 * @throws GIT_FAILED where the folder cannot be made.
 */
export async function cacheFolder(
  cacheDir: string,
  url: string,
  init: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = folderOf(cacheDir, url);
  try {
    if (await belongsTo(folder, url)) return folder;
    await mkdir(cacheDir, { recursive: true, mode: 0o700 });
    const draft = await mkdtemp(`${folder}.new-`);
    try {
      await init(draft);
      await writeFile(join(draft, OWNER_FILE), url);
      await moveIn(draft, folder, url);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    return folder;
  } catch (error) {
    throw new SluiceError("GIT_FAILED", `the clone's folder cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Throws the clone away; the next `cacheFolder` makes it anew. */
export async function discardFolder(cacheDir: string, url: string): Promise<void> {
  const folder = folderOf(cacheDir, url);
  const aside = `${folder}.old-${process.pid}`;
  try {
    await rm(aside, { recursive: true, force: true });
    // At once, so that nobody takes half a clone for a whole one.
    await rename(folder, aside);
    await rm(aside, { recursive: true, force: true });
  } catch (error) {
    if (!isAbsent(error))
      throw new SluiceError("GIT_FAILED", `the clone cannot be removed: ${messageOf(error)}`, {
        cause: error,
      });
  }
}

function folderOf(cacheDir: string, url: string): string {
  return join(cacheDir, `${createHash("sha256").update(url).digest("hex").slice(0, 24)}.git`);
}

async function belongsTo(folder: string, url: string): Promise<boolean> {
  const owner = await readFile(join(folder, OWNER_FILE), "utf8").catch(() => undefined);
  return owner === url && (await isRepository(folder));
}

/** Another source of the same URL may have been faster; its folder is as good, and must not be taken from under it. */
async function moveIn(draft: string, folder: string, url: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch {
    if (await belongsTo(folder, url)) return;
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  }
}
