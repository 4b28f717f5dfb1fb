import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import {
  encodePath,
  type FilePath,
  type JobFormat,
  SluiceError,
  type TargetName,
  targetName,
} from "@sluice/core";
import { reviewer } from "@sluice/deployer";
import { schedulerKind } from "@sluice/schedulers";
import { loadConfig } from "../../config/load.ts";
import { problemLine } from "../../text/changes.ts";
import { count } from "../../text/events.ts";
import { GLYPH } from "../../text/glyphs.ts";
import type { CliContext, ExitCode } from "../context.ts";
import { machineText, type OutputFormat } from "../output.ts";

export interface ValidateOptions {
  readonly config?: string;
  readonly environment?: string;
  /** `name=type`, instead of the configuration's targets. */
  readonly target: readonly string[];
  readonly output: OutputFormat;
}

/** `sluice validate [PATH]`: checks the job files of a deploy repo's work tree, without an engine. 1 where a file has a problem. */
export async function validate(
  path: string,
  options: ValidateOptions,
  context: CliContext,
): Promise<ExitCode> {
  const formats = formatsFor(options, context);
  const files = await filesBelow(resolve(context.cwd, path));
  const { problems, jobs } = reviewer({ formats }).checkFiles(files);
  if (options.output !== "table") context.out(machineText(options.output, { jobs, problems }));
  else {
    for (const problem of problems) context.out(`${problemLine(problem)}\n`);
    const glyph = problems.length > 0 ? GLYPH.fail : GLYPH.done;
    context.out(`${glyph} ${count(jobs, "job")}, ${count(problems.length, "problem")}\n`);
  }
  return problems.length > 0 ? 1 : 0;
}

function formatsFor(options: ValidateOptions, context: CliContext): ReadonlyMap<TargetName, JobFormat> {
  const given = options.target.map((text) => {
    const [name = "", type = ""] = text.split("=");
    return [targetName(name), schedulerKind(type).format()] as const;
  });
  if (given.length > 0) return new Map(given);
  const { config } = loadConfig(options.config, context.cwd);
  const names = Object.keys(config.environments);
  const name = options.environment ?? names[0] ?? "";
  const environment = config.environments[name];
  if (!environment)
    throw new SluiceError("NOT_FOUND", `there is no environment "${name}"; there are ${names.join(", ")}`);
  return new Map(
    Object.entries(environment.targets).map(([target, { type }]) => [
      targetName(target),
      schedulerKind(type).format(),
    ]),
  );
}

/** Every plain file below a folder but Git's own; links are not followed, as the mirror does not follow them. */
async function filesBelow(root: string): Promise<{ path: FilePath; bytes: Uint8Array }[]> {
  const found = await stat(root).catch(() => undefined);
  if (!found?.isDirectory()) throw new SluiceError("USAGE", `${root} is no folder`);
  const files: { path: FilePath; bytes: Uint8Array }[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const full = join(entry.parentPath, entry.name);
    const path = relative(root, full).replaceAll("\\", "/");
    if (!entry.isFile() || /(^|\/)\.git(\/|$)/.test(path)) continue;
    files.push({ path: encodePath(path), bytes: await readFile(full) });
  }
  return files;
}
