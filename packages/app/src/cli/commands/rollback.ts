import { SluiceError, shortRevision } from "@sluice/core";
import type { EnvironmentView } from "../../http/api.ts";
import type { CommitView } from "../../http/commits/routes.ts";
import { changeLine } from "../../text/changes.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { type EngineClient, engineClient } from "../client.ts";
import { confirmed } from "../confirm.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { personAt } from "../person.ts";
import { followCommit } from "./sync.ts";

interface CommitOptions extends ServerOptions {
  readonly why?: string;
  readonly yes?: boolean;
  readonly wait?: boolean;
}

export interface RollbackOptions extends CommitOptions {
  /** A revision. */
  readonly to: string;
}

export interface PromoteOptions extends CommitOptions {
  readonly from: string;
  /** An environment. */
  readonly to: string;
}

/** `sluice rollback JOB|ENVIRONMENT --to REV`: a commit that says again what an earlier one said. */
export async function rollback(
  what: string,
  options: RollbackOptions,
  context: CliContext,
): Promise<ExitCode> {
  const client = engineClient(options, context);
  // A job's key has a slash, an environment's name has none.
  const isJob = what.includes("/");
  const asked = isJob ? client : engineClient({ ...options, environment: what }, context);
  const environment = await asked.environment();
  const body = { to: options.to, ...(isJob ? { job: what } : {}) };
  return commit({ client, environment, options, context }, "rollback", body);
}

/** `sluice promote JOB|PATH --from ENV --to ENV`: a commit that takes over what another environment says. */
export async function promote(what: string, options: PromoteOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  if (options.from === options.to)
    throw new SluiceError("USAGE", "--from and --to name the same environment");
  const environment = await engineClient({ ...options, environment: options.to }, context).environment();
  return commit({ client, environment, options, context }, "promote", { what, from: options.from });
}

interface Committing {
  readonly client: EngineClient;
  readonly environment: EnvironmentView;
  readonly options: CommitOptions;
  readonly context: CliContext;
}

/** Shows the commit, asks, and has it made on the very commit that it was planned for. */
async function commit(
  { client, environment, options, context }: Committing,
  verb: "rollback" | "promote",
  body: object,
): Promise<ExitCode> {
  const path = `/api/v1/environments/${environment.name}/${verb}`;
  const asked = { ...body, by: personAt(context), ...(options.why ? { why: options.why } : {}) };
  const planned = await client.post<CommitView>(path, asked);
  context.out(describe(planned));
  if (!options.yes && !(await confirmed("Commit this? [y/N] ", context))) {
    context.out("nothing was changed\n");
    return 1;
  }
  const { revision } = await client.post<CommitView>(path, { ...asked, parent: planned.parent });
  if (!revision) throw new SluiceError("INTERNAL", "the engine made no commit");
  context.out(`${GLYPH.done} committed as ${shortRevision(revision)}\n`);
  if (options.wait) return followCommit({ client, environment, context }, revision);
  context.out(`${GLYPH.begin} \`sluice wait -e ${environment.name}\` follows it\n`);
  return 0;
}

function describe({ message, files, changes, environment }: CommitView): string {
  const lines = message
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? "" : `    ${line}`));
  const shown = changes.length > 0 ? changes.map(changeLine) : files.map((file) => `${GLYPH.begin} ${file}`);
  return `in ${environment}, a commit\n\n${lines.join("\n")}\n\n${shown.join("\n")}\n`;
}
