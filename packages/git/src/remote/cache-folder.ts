import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, SluiceError } from "@sluice/core";
import { isRepository } from "../refs/git-dir.ts";

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
  const folder = join(cacheDir, `${createHash("sha256").update(url).digest("hex").slice(0, 24)}.git`);
  try {
    const owner = await readFile(join(folder, OWNER_FILE), "utf8").catch(() => undefined);
    if (owner === url && (await isRepository(folder))) return folder;
    await mkdir(cacheDir, { recursive: true, mode: 0o700 });
    const draft = `${folder}.${process.pid}.new`;
    await rm(draft, { recursive: true, force: true });
    await init(draft);
    await writeFile(join(draft, OWNER_FILE), url);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
    return folder;
  } catch (error) {
    throw new SluiceError("GIT_FAILED", `the clone's folder cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
