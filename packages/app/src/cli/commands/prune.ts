import { type JobKey, shortRevision, splitJobKey } from "@sluice/core";
import type { DiffView } from "../../http/diff.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { engineClient } from "../client.ts";
import { confirmed } from "../confirm.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { followSync } from "./sync.ts";

export interface PruneOptions extends ServerOptions {
  readonly target?: string;
  readonly yes?: boolean;
  readonly wait?: boolean;
}

/** `sluice prune confirm`: a person's yes to removals that wait for one, for the revision they have seen. 1 where they say no. */
export async function confirmPrune(options: PruneOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  const environment = await client.environment();
  const path = `/api/v1/environments/${environment.name}`;
  const { revision, refused } = await client.get<DiffView>(`${path}/diff`);
  const pending = refused
    .filter(({ key, reason }) => reason === "PrunePending" && isOf(key, options.target))
    .map(({ key }) => key);
  if (revision === undefined || pending.length === 0) {
    context.out(`${GLYPH.done} ${environment.name}: no removal waits to be confirmed\n`);
    return 0;
  }
  context.out(`${environment.name} at ${shortRevision(revision)} no longer names, and would remove:\n`);
  for (const key of pending) context.out(`${GLYPH.fail} ${key}\n`);
  const question = `Remove ${pending.length === 1 ? "it" : `these ${pending.length} jobs`}? [y/N] `;
  if (!options.yes && !(await confirmed(question, context))) {
    context.out("nothing was changed\n");
    return 1;
  }
  const targets = [...new Set(pending.map((key) => splitJobKey(key).target))];
  const wish = await client.post<Parameters<typeof followSync>[1]>(`${path}/prune`, { revision, targets });
  context.out(`${GLYPH.begin} ${environment.name} removes them once what replaces them is healthy\n`);
  return options.wait ? followSync({ client, environment, context }, wish) : 0;
}

function isOf(key: JobKey, target: string | undefined): boolean {
  return target === undefined || splitJobKey(key).target === target;
}
