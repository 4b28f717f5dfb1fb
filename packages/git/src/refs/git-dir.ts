import { access, readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, SluiceError } from "@sluice/core";

/**
 * The folder that holds a local repository's objects and branches: the path itself where it is bare, its `.git`, or what a
 * `.git` file (a worktree, a submodule) points to.
 * @throws GIT_FAILED where no readable repository is there.
 */
export async function findGitDir(repository: string): Promise<string> {
  const top = resolve(repository);
  for (const candidate of [top, resolve(top, ".git")]) {
    const gitDir = await followGitFile(candidate);
    if (!gitDir) continue;
    const common = await commonDir(gitDir);
    if (await isRepository(common)) return common;
  }
  throw new SluiceError("GIT_FAILED", `there is no readable Git repository at ${top}`);
}

/** True where the folder certainly is a repository whose refs can be read. */
export async function isRepository(gitDir: string): Promise<boolean> {
  try {
    await access(`${gitDir}/HEAD`);
    const [objects, refs] = await Promise.all([stat(`${gitDir}/objects`), stat(`${gitDir}/refs`)]);
    return objects.isDirectory() && refs.isDirectory();
  } catch {
    return false;
  }
}

async function followGitFile(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).isDirectory()) return path;
    const target = /^gitdir: (.+)$/m.exec(await readFile(path, "utf8"))?.[1];
    return target === undefined ? undefined : resolve(path, "..", target);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw new SluiceError("GIT_FAILED", `the repository cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function commonDir(gitDir: string): Promise<string> {
  try {
    return resolve(gitDir, (await readFile(`${gitDir}/commondir`, "utf8")).trim());
  } catch (error) {
    if (isAbsent(error)) return gitDir;
    throw new SluiceError("GIT_FAILED", `the repository cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** True where the file system says that nothing is there, as opposed to not being able to tell. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
