import { shortRevision } from "@sluice/core";
import type { HistoryEntry, HistoryView } from "../../http/history/history.ts";
import type { JobOutcome } from "../../http/history/outcome.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { machineText, type OutputFormat, tableText } from "../output.ts";

export interface HistoryOptions extends ServerOptions {
  readonly output: OutputFormat;
  readonly limit: string;
}

const TITLES = ["REVISION", "WHEN", "AUTHOR", "CHANGE", "OUTCOME", "SUBJECT"];

/** `sluice history JOB`: every commit that changed the job, newest first, and how it did. */
export async function history(job: string, options: HistoryOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  const { name } = await client.environment();
  const query = `job=${encodeURIComponent(job)}&limit=${encodeURIComponent(options.limit)}`;
  const found = await client.get<HistoryView>(`/api/v1/environments/${name}/history?${query}`);
  if (options.output !== "table") {
    context.out(machineText(options.output, { environment: name, ...found }));
    return 0;
  }
  context.out(tableText(TITLES, found.entries.map(row)));
  if (!found.complete) context.out(`${GLYPH.wait} there are older ones: --limit\n`);
  if (found.problem) context.err(`${GLYPH.wait} ${found.problem}\n`);
  return 0;
}

function row({ revision, commit, change, outcome }: HistoryEntry): string[] {
  const when = `${commit.at.slice(0, 16)}Z`;
  return [shortRevision(revision), when, commit.author, change, outcomeText(outcome), commit.subject];
}

function outcomeText({ state, reason, message }: JobOutcome): string {
  if (state === "healthy") return `${GLYPH.done} healthy`;
  if (state === "failed") return `${GLYPH.fail} ${reason}: ${message}`;
  return state === "superseded" ? `${GLYPH.wait} superseded` : "-";
}
