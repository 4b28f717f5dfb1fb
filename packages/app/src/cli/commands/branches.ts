import type { PatternView } from "../../http/branches.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { machineText, type OutputFormat, tableText } from "../output.ts";

export interface BranchesOptions extends ServerOptions {
  readonly output: OutputFormat;
  /** The environment of a branch that is gone for good. */
  readonly remove?: string;
}

const TITLES = ["ENVIRONMENT", "BRANCH", "STATE", "SINCE"];

/** `sluice branches`: which branches have an environment of their own; `--remove`: a person's word that one may go. */
export async function branches(options: BranchesOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  if (options.remove !== undefined) {
    await client.post(`/api/v1/environments/${encodeURIComponent(options.remove)}/remove`, {});
    context.out(`${GLYPH.begin} ${options.remove} is removed once its branch is missing in enough lists\n`);
    return 0;
  }
  const { environments } = await client.get<{ environments: PatternView[] }>("/api/v1/branches");
  const wanted = environments.filter(({ name }) => [undefined, name].includes(options.environment));
  const rows = wanted.flatMap((one) =>
    one.branches.map(({ name, branch, state, since }) => [name, branch, state, since]),
  );
  if (options.output !== "table") context.out(machineText(options.output, { environments: wanted }));
  else if (rows.length > 0) context.out(tableText(TITLES, rows));
  else context.out("no branch has an environment of its own\n");
  return 0;
}
