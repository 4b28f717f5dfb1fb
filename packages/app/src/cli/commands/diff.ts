import { maskField } from "@sluice/core";
import type { DiffView } from "../../http/diff.ts";
import { changeLine, fieldText, problemLine } from "../../text/changes.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { machineText, type OutputFormat } from "../output.ts";

export interface DiffOptions extends ServerOptions {
  readonly output: OutputFormat;
}

/** `sluice diff`: what the newest commit would change in the schedulers right now. 0 nothing, 1 something. */
export async function diff(options: DiffOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  const environment = await client.environment();
  const found = await client.get<DiffView>(`/api/v1/environments/${environment.name}/diff`);
  context.out(options.output === "table" ? describe(found) : machineText(options.output, found));
  const { changes, refused, problems, unknown, waiting } = found;
  return changes.length + refused.length + problems.length + unknown.length > 0 || waiting !== undefined
    ? 1
    : 0;
}

function describe(found: DiffView): string {
  const lines = found.problems.map(problemLine);
  if (found.waiting !== undefined) lines.push(`${GLYPH.wait} ${found.waiting}`);
  for (const change of found.changes) {
    lines.push(changeLine({ ...change, fields: [] }));
    for (const field of change.kind === "update" ? change.fields : [])
      lines.push(`    ${fieldText(maskField(field))}`);
  }
  for (const { key, reason, message, fields = [] } of found.refused) {
    lines.push(`${GLYPH.wait} ${key} ${reason}: ${message}`);
    for (const field of fields) lines.push(`    ${fieldText(maskField(field))}`);
  }
  for (const { target, message } of found.unknown) lines.push(`${GLYPH.fail} target ${target}: ${message}`);
  if (lines.length === 0) lines.push(`${GLYPH.done} no differences: ${found.jobs} jobs run as Git says`);
  return `${lines.join("\n")}\n`;
}
