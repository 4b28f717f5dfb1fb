import { readFile, writeFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { messageOf, readDocuments, SluiceError } from "@sluice/core";
import { parseConfig } from "../../config/load.ts";
import type { Note } from "../../import/notes.ts";
import { planImport } from "../../import/plan-import.ts";
import { renderConfig } from "../../import/render-config.ts";
import { count } from "../../text/events.ts";
import { GLYPH } from "../../text/glyphs.ts";
import type { CliContext, ExitCode } from "../context.ts";

export interface ImportOptions {
  /** File to write; absent: the configuration is printed. */
  readonly out?: string;
}

/**
 * `sluice import git2consul FILE`: its JSON configuration as ours. What needs a person's eye is told with its line, on the
 * error output and in the result. 1 where there is anything of the kind. Never overwrites a file, never writes a secret.
 */
export async function importGit2Consul(
  file: string,
  { out }: ImportOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { documents, problems } = readDocuments(await readGiven(resolve(context.cwd, file)));
  const [problem] = problems;
  if (problem)
    throw new SluiceError("USAGE", `${file}:${problem.line}:${problem.column}: ${problem.message}`);
  const [document] = documents;
  if (!document) throw new SluiceError("USAGE", `${file} is empty`);
  const plan = planImport(document);
  const text = renderConfig(plan, basename(file));
  for (const note of plan.notes) context.err(noteLine(file, note));
  const attention = plan.notes.filter((note) => note.attention).length;
  if (plan.environments.length === 0)
    throw new SluiceError("USAGE", `${file} has no repository with a branch that could be mirrored`);
  parseConfig(Buffer.from(text), out ?? "sluice.yaml");
  if (out === undefined) context.out(text);
  else await writeNew(resolve(context.cwd, out), text);
  const summary = `${count(plan.environments.length, "environment")}, ${count(attention, "thing")} to look at`;
  context.err(`${attention > 0 ? GLYPH.fail : GLYPH.done} ${summary}\n`);
  return attention > 0 ? 1 : 0;
}

async function readGiven(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new SluiceError("USAGE", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST")
      throw new SluiceError("USAGE", `${path} exists already; nothing was written`, { cause });
    throw new SluiceError("USAGE", `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}

function noteLine(file: string, { line, option, attention, message }: Note): string {
  return `${attention ? GLYPH.fail : GLYPH.begin} ${file}:${line}: ${option}: ${message}\n`;
}
