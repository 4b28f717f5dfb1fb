import { copyFile, open, readFile, rename, rm } from "node:fs/promises";

/** The balancer's file, replaced whole, with the one before kept beside it as `<file>.previous`. */
export interface ConfigFile {
  /** What it holds; undefined: it does not exist. */
  read(): Promise<string | undefined>;
  /** Writes a file beside it, to be checked. @returns its path. */
  stage(text: string): Promise<string>;
  /** Puts the staged file in place. */
  replace(): Promise<void>;
  /** Puts the one before back, and keeps the one that was no good as `<file>.refused`. */
  restore(): Promise<void>;
  /** Keeps the staged file as `<file>.refused`, for whoever wants to know why. */
  setAside(): Promise<void>;
}

export function configFile(path: string): ConfigFile {
  const [next, previous, refused] = [`${path}.next`, `${path}.previous`, `${path}.refused`];
  return {
    read: () => readFile(path, "utf8").catch(absent),
    async stage(text) {
      const file = await open(next, "w", 0o644);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      return next;
    },
    async replace() {
      await copyFile(path, previous).catch(absent);
      await rename(next, path);
    },
    async restore() {
      await rename(path, refused);
      await copyFile(previous, path).catch(absent);
    },
    async setAside() {
      await rm(refused, { force: true });
      await rename(next, refused);
    },
  };
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}
