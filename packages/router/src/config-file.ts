import { chmod, chown, copyFile, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";

/** The balancer's file, replaced whole, with the one before kept beside it as `<file>.previous`. */
export interface ConfigFile {
  /** What it holds; undefined: it does not exist. */
  read(): Promise<string | undefined>;
  /** Writes a file beside it, to be checked, which belongs to whom the file belongs to. @returns its path. */
  stage(text: string): Promise<string>;
  /** Puts the staged file in place. */
  replace(): Promise<void>;
  /** Puts the one before back, and keeps the one that was no good as `<file>.refused`. */
  restore(): Promise<void>;
  /** Keeps the staged file as `<file>.refused`, for whoever wants to know why. */
  setAside(): Promise<void>;
}

/** @param path a link is followed: what it leads to is replaced. */
export function configFile(path: string): ConfigFile {
  const there = () =>
    realpath(path)
      .catch(absent)
      .then((found) => found ?? path);
  return {
    read: () => readFile(path, "utf8").catch(absent),
    async stage(text) {
      const place = await there();
      const next = `${place}.next`;
      const now = await stat(place).catch(absent);
      await rm(next, { force: true });
      const file = await open(next, "wx", 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      if (now && now.uid + now.gid > 0) await chown(next, now.uid, now.gid).catch(notAllowed);
      await chmod(next, now ? now.mode & 0o7777 : 0o644);
      return next;
    },
    async replace() {
      const place = await there();
      await rm(`${place}.previous`, { force: true });
      await copyFile(place, `${place}.previous`).catch(absent);
      await rename(`${place}.next`, place);
    },
    async restore() {
      const place = await there();
      await copyFile(place, `${place}.refused`);
      const back = await copyFile(`${place}.previous`, `${place}.next`).then(() => true, absent);
      if (back) await rename(`${place}.next`, place);
      else await rm(place, { force: true });
    },
    async setAside() {
      const place = await there();
      await rename(`${place}.next`, `${place}.refused`);
    },
  };
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}

/** Who is not root cannot give a file away, and need not where it is their own. */
function notAllowed(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
}
