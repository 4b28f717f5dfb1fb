import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ran, run } from "./engine.ts";
import { freePort } from "./free-port.ts";

const EXAMPLE = fileURLToPath(new URL("../../deploy-repo-example", import.meta.url));
/** The one fixed port of the example, which a test replaces by a free one. */
const EXAMPLE_PORT = "31811";

const GIT_ENV = {
  ...process.env,
  GIT_AUTHOR_NAME: "A. Person",
  GIT_AUTHOR_EMAIL: "person@example.test",
  GIT_COMMITTER_NAME: "A. Person",
  GIT_COMMITTER_EMAIL: "person@example.test",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
};

/** A person's clone of the deploy repo. */
export interface DeployClone {
  readonly folder: string;
  git(...args: string[]): Promise<Ran>;
  write(path: string, text: string): Promise<void>;
  edit(path: string, from: string | RegExp, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Commits everything and pushes; the push's own output is what comes back. */
  push(message: string, ...flags: string[]): Promise<Ran>;
  head(): Promise<string>;
  cleanUp(): Promise<void>;
}

export async function cloneDeployRepo(url: string): Promise<DeployClone> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-clone-"));
  const git = (...args: string[]) => run("git", ["-C", folder, ...args], { env: GIT_ENV });
  const must = async (...args: string[]) => {
    const ran = await git(...args);
    if (ran.code !== 0) throw new Error(`git ${args.join(" ")} ended with ${ran.code}: ${ran.output}`);
    return ran.output.trim();
  };
  await must("clone", "--quiet", "--", url, ".");
  await must("checkout", "--quiet", "-B", "main");
  return {
    folder,
    git,
    write: (path, text) => writeFile(join(folder, path), text),
    async edit(path, from, to) {
      const text = await readFile(join(folder, path), "utf8");
      const edited = text.replace(from, to);
      if (edited === text) throw new Error(`${path} does not hold ${String(from)}`);
      await writeFile(join(folder, path), edited);
    },
    remove: (path) => rm(join(folder, path)),
    async push(message, ...flags) {
      await must("add", "--all");
      await must("commit", "--quiet", "--allow-empty", "--message", message);
      return git("push", ...flags, "origin", "main");
    },
    head: () => must("rev-parse", "HEAD"),
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Puts the example's files into a clone, with a port that is free here. */
export async function copyExample(clone: DeployClone): Promise<void> {
  await cp(EXAMPLE, clone.folder, { recursive: true });
  const port = String(await freePort());
  for (const entry of await readdir(clone.folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".yaml") || entry.parentPath.includes("/.git")) continue;
    const file = join(entry.parentPath, entry.name);
    await writeFile(file, (await readFile(file, "utf8")).replaceAll(EXAMPLE_PORT, port));
  }
}
