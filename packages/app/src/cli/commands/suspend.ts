import type { SuspendedView } from "../../http/controls/suspension.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { suspendedLine } from "../../text/suspended.ts";
import { engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { personAt } from "../person.ts";

export interface SuspendOptions extends ServerOptions {
  readonly target?: string;
  readonly job?: string;
  readonly why?: string;
}

export interface ResumeOptions extends ServerOptions {
  readonly target?: string;
  readonly job?: string;
  readonly all?: boolean;
}

/** `sluice suspend`: Sluice leaves the job, the target or the whole environment alone until it is resumed. */
export async function suspend(options: SuspendOptions, context: CliContext): Promise<ExitCode> {
  const { target, job, why } = options;
  const suspended = await change("suspend", options, { target, job, why, by: personAt(context) }, context);
  context.out(suspended.map((one) => `${suspendedLine(one)}\n`).join(""));
  return 0;
}

/** `sluice resume`: lifts one suspension, or all with --all. */
export async function resume(options: ResumeOptions, context: CliContext): Promise<ExitCode> {
  const { target, job, all } = options;
  const left = await change("resume", options, { target, job, all, by: personAt(context) }, context);
  context.out(`${GLYPH.done} resumed${left.length > 0 ? "; still suspended:" : ""}\n`);
  context.out(left.map((one) => `${suspendedLine(one)}\n`).join(""));
  return 0;
}

async function change(
  verb: "suspend" | "resume",
  options: ServerOptions,
  body: object,
  context: CliContext,
): Promise<readonly SuspendedView[]> {
  const client = engineClient(options, context);
  const { name } = await client.environment();
  const path = `/api/v1/environments/${name}/${verb}`;
  return (await client.post<{ suspended: readonly SuspendedView[] }>(path, body)).suspended;
}
