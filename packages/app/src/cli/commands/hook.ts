import { basename, resolve } from "node:path";
import { SluiceError } from "@sluice/core";
import { installBuildHook, installHooks } from "../../hook/install.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { type CliContext, type ExitCode, type ServerOptions, serverAddress } from "../context.ts";

export interface HookInstallOptions extends ServerOptions {
  readonly offline: string;
  readonly repository?: string;
  /** The repository is an app's: its pushes begin builds. */
  readonly ci?: boolean;
  readonly app?: string;
}

/** `sluice hook install REPO`: the repository's pushes are checked before they are taken and followed until healthy. */
export async function hookInstall(
  path: string,
  options: HookInstallOptions,
  context: CliContext,
): Promise<ExitCode> {
  if (options.ci || options.app !== undefined) return buildHookInstall(path, options, context);
  const { offline, tokenFile, repository } = options;
  if (offline !== "accept" && offline !== "refuse")
    throw new SluiceError("USAGE", `--offline is accept or refuse, not "${offline}"`);
  const server = serverAddress(options, context);
  const written = await installHooks(resolve(context.cwd, path), {
    server,
    offline,
    ...(tokenFile ? { tokenFile: resolve(context.cwd, tokenFile) } : {}),
    ...(repository ? { repository } : {}),
  });
  for (const file of written) context.out(`${GLYPH.done} ${file}\n`);
  context.out(`${GLYPH.begin} pushes to ${path} are checked and followed by the engine at ${server}\n`);
  return 0;
}

/** `sluice hook install REPO --ci`: what is pushed there is built. The app's name is the repository's where none is given. */
async function buildHookInstall(
  path: string,
  options: HookInstallOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { tokenFile, repository } = options;
  const server = serverAddress(options, context);
  const folder = resolve(context.cwd, path);
  const app = options.app ?? basename(folder).replace(/\.git$/, "");
  const file = await installBuildHook(folder, {
    server,
    app,
    ...(tokenFile ? { tokenFile: resolve(context.cwd, tokenFile) } : {}),
    ...(repository ? { repository } : {}),
  });
  context.out(`${GLYPH.done} ${file}\n`);
  context.out(`${GLYPH.begin} pushes to ${path} ask the engine at ${server} for a build of ${app}\n`);
  return 0;
}
