import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SluiceError } from "@sluice/core";

const MARK = "# Installed by `sluice hook install`; run it again to change, delete this file to remove.";
const CLIENT = fileURLToPath(new URL("../../hooks/push-hook.cjs", import.meta.url));

export interface HookOptions {
  /** The engine's HTTP address, as the machine that holds the repository reaches it. */
  readonly server: string;
  /** What happens to a push while no engine answers: it is taken unchecked, or refused. */
  readonly offline: "accept" | "refuse";
  /** File with the token the engine wants, if it wants one. */
  readonly tokenFile?: string | undefined;
  /** Where the engine names the repository differently (another mount, another machine): how it names it. */
  readonly repository?: string | undefined;
}

const HOOKS = ["pre-receive", "post-receive"] as const;
const BUILD_CLIENT = fileURLToPath(new URL("../../hooks/build-hook.cjs", import.meta.url));

export interface BuildHookOptions extends Omit<HookOptions, "offline"> {
  /** The app's name under `builds` in the engine's configuration. */
  readonly app: string;
}

/**
 * Makes a repository of an app ask for a build of what is pushed. Running it again changes the settings.
 * @returns the file written. @throws USAGE, as `installHooks`
 */
export async function installBuildHook(repository: string, options: BuildHookOptions): Promise<string> {
  const folder = join(await gitDirectory(repository), "hooks");
  const file = join(folder, "post-receive");
  await refuseForeign(file);
  await mkdir(folder, { recursive: true });
  const words = [process.execPath, BUILD_CLIENT, options.server, `--app=${options.app}`];
  await writeHook(file, [...words, ...commonWords(options)]);
  return file;
}

/**
 * Makes a bare (or not) repository check and follow its pushes: pre-receive refuses what cannot be deployed, post-receive tells
 * how the deployment goes. Running it again changes the settings.
 * @returns the files written.
 * @throws USAGE where the folder is no Git repository, or a hook that somebody else put there would be lost.
 */
export async function installHooks(repository: string, options: HookOptions): Promise<string[]> {
  const gitDir = await gitDirectory(repository);
  const folder = join(gitDir, "hooks");
  for (const name of HOOKS) await refuseForeign(join(folder, name));
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const name of HOOKS) {
    const file = join(folder, name);
    const words = [process.execPath, CLIENT, name, options.server, `--offline=${options.offline}`];
    await writeHook(file, [...words, ...commonWords(options)]);
    written.push(file);
  }
  return written;
}

async function gitDirectory(repository: string): Promise<string> {
  for (const candidate of [repository, join(repository, ".git")]) {
    const found = await stat(join(candidate, "HEAD")).catch(() => undefined);
    if (found?.isFile()) return candidate;
  }
  throw new SluiceError("USAGE", `${repository} is no Git repository`);
}

async function refuseForeign(file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined || text.includes(MARK)) return;
  throw new SluiceError("USAGE", `${file} exists and is not Sluice's`, {
    hint: `Call \`node ${CLIENT}\` from it with the same words and input, as a hook installed elsewhere shows, or move it away.`,
  });
}

function commonWords({ tokenFile, repository }: Pick<HookOptions, "tokenFile" | "repository">): string[] {
  return [
    ...(tokenFile ? [`--token-file=${tokenFile}`] : []),
    ...(repository ? [`--repository=${repository}`] : []),
  ];
}

async function writeHook(file: string, words: readonly string[]): Promise<void> {
  const script = `#!/bin/sh\n${MARK}\nexec ${words.map(quote).join(" ")}\n`;
  await writeFile(file, script, { mode: 0o755 });
  await chmod(file, 0o755);
}

/** One word of a POSIX shell, whatever it holds. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
