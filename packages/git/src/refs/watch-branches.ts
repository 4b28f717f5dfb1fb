import { type FSWatcher, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { findGitDir } from "./git-dir.ts";

/**
 * Yields once it watches, and when branches of a local repository may have come, moved or gone; a hint only. Ends when the signal aborts, or at once
 * where the repository cannot be watched.
 * @param options.onError told why a folder cannot be watched; hints may then be missing.
 */
export async function* watchBranches(
  repository: string,
  options: { readonly signal: AbortSignal; readonly onError?: (error: unknown) => void },
): AsyncIterable<void> {
  const { signal, onError = () => undefined } = options;
  let pending = true;
  let wake: () => void = () => undefined;
  const hint = () => {
    pending = true;
    wake();
  };
  const folders = watchedFolders(hint, onError);
  signal.addEventListener("abort", hint, { once: true });
  try {
    const gitDir = await findGitDir(repository);
    await folders.arm(gitDir);
    while (!signal.aborted) {
      if (!pending) await new Promise<void>((resolve) => (wake = resolve));
      pending = false;
      if (signal.aborted) return;
      // Before the yield: what happens in a folder that only now exists is seen by the reader or by its watch.
      await folders.arm(gitDir);
      yield;
    }
  } catch (error) {
    onError(error);
  } finally {
    signal.removeEventListener("abort", hint);
    folders.close();
  }
}

/** `packed-refs` lies at the top; every folder of branches has a watch of its own, since Git replaces files by renaming. */
function watchedFolders(hint: () => void, onError: (error: unknown) => void) {
  const watched = new Map<string, { readonly inode: number; readonly watcher: FSWatcher }>();

  function drop(folder: string) {
    watched.get(folder)?.watcher.close();
    watched.delete(folder);
  }
  function add(folder: string, inode: number, relevant: (name: string) => boolean) {
    try {
      const watcher = watch(folder, { persistent: false });
      watcher.on("change", (_, name) => {
        if (name === null || relevant(String(name))) hint();
      });
      watcher.on("error", (error) => {
        drop(folder);
        onError(error);
      });
      watched.set(folder, { inode, watcher });
    } catch (error) {
      onError(error);
    }
  }
  return {
    /** Watches what there is now, and lets go of what there was. */
    async arm(gitDir: string) {
      const heads = join(gitDir, "refs", "heads");
      const wanted = new Set([gitDir, join(gitDir, "refs"), heads, ...(await foldersBelow(heads))]);
      for (const folder of watched.keys()) if (!wanted.has(folder)) drop(folder);
      for (const folder of wanted) {
        const inode = (await stat(folder).catch(() => undefined))?.ino;
        if (inode === watched.get(folder)?.inode) continue;
        drop(folder);
        if (inode !== undefined)
          add(folder, inode, folder === gitDir ? isAboutRefs : (name) => !name.endsWith(".lock"));
      }
    },
    close() {
      for (const folder of [...watched.keys()]) drop(folder);
    },
  };
}

function isAboutRefs(name: string): boolean {
  return name === "packed-refs" || name === "refs";
}

async function foldersBelow(top: string): Promise<string[]> {
  const entries = await readdir(top, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}
