import { type FSWatcher, statSync, watch } from "node:fs";
import { join } from "node:path";

/**
 * Yields once it watches, and then when a ref of a local repository may have moved. It watches folders, not files: Git replaces a ref's file by a
 * rename, makes the folders of `feature/x` when needed and removes them when empty, and a folder's watch sees all of it.
 * @param onError told why a folder cannot be watched (the system's limit, most often); hints may then be missing.
 */
export async function* watchRef(
  gitDir: string,
  ref: string,
  options: { readonly signal: AbortSignal; readonly onError?: (error: unknown) => void },
): AsyncIterable<void> {
  const { signal } = options;
  let pending = true;
  let wake: () => void = () => undefined;
  const hint = () => {
    pending = true;
    wake();
  };
  const folders = foldersOf(gitDir, ref).map((one) => watchedFolder(one, hint, options.onError));
  const arm = () => folders.forEach((folder) => void folder.arm());
  signal.addEventListener("abort", hint, { once: true });
  try {
    arm();
    while (!signal.aborted) {
      if (!pending) await new Promise<void>((resolve) => (wake = resolve));
      pending = false;
      if (signal.aborted) return;
      // Before the yield: what happens in a folder that only now exists is seen by the reader or by its watch.
      arm();
      yield;
    }
  } finally {
    signal.removeEventListener("abort", hint);
    for (const folder of folders) folder.close();
  }
}

interface Place {
  readonly folder: string;
  readonly names: ReadonlySet<string>;
}

/** Each folder on the way to the ref with the name in it that matters; `packed-refs` and HEAD lie at the top. */
function foldersOf(gitDir: string, ref: string): Place[] {
  const places: Place[] = [{ folder: gitDir, names: new Set(["packed-refs", "HEAD", "refs"]) }];
  let folder = gitDir;
  for (const segment of ref.split("/")) {
    if (folder !== gitDir) places.push({ folder, names: new Set([segment]) });
    folder = join(folder, segment);
  }
  return places;
}

function watchedFolder(place: Place, hint: () => void, onError?: (error: unknown) => void) {
  let watcher: FSWatcher | undefined;
  let inode: number | undefined;

  function close() {
    watcher?.close();
    watcher = undefined;
    inode = undefined;
  }
  return {
    close,
    /** Starts watching, or starts anew where another folder of the same name took the place. */
    arm() {
      const now = statSync(place.folder, { throwIfNoEntry: false })?.ino;
      if (now === inode) return;
      close();
      if (now === undefined) return;
      try {
        watcher = watch(place.folder, { persistent: false });
        watcher.on("change", (_, name) => {
          if (name === null || place.names.has(String(name))) hint();
        });
        watcher.on("error", (error) => {
          close();
          onError?.(error);
        });
        inode = now;
      } catch (error) {
        onError?.(error);
      }
    },
  };
}
