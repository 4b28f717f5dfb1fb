import type { EnvironmentView } from "../../http/api.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { type EngineClient, engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";

export interface SyncOptions extends ServerOptions {
  readonly wait?: boolean;
  readonly retry?: boolean;
}

/** `sluice sync`: look at the branch and at what runs now, not at the next interval. */
export async function sync(options: SyncOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  const environment = await client.environment();
  await client.post(`/api/v1/environments/${environment.name}/sync`, { retry: options.retry === true });
  if (options.wait) return follow(client, environment, context);
  context.out(`${GLYPH.begin} ${environment.name} reconciles; \`sluice wait\` follows it\n`);
  return 0;
}

/** `sluice wait`: until the branch's newest commit is deployed. 0 healthy, 1 not. */
export async function wait(options: ServerOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  return follow(client, await client.environment(), context);
}

async function follow(
  client: EngineClient,
  environment: EnvironmentView,
  context: CliContext,
): Promise<ExitCode> {
  let end: string | undefined;
  for await (const line of client.follow(`/api/v1/environments/${environment.name}/follow`)) {
    if (line.text) context.out(`${line.text}\n`);
    end = line.end ?? end;
  }
  return end === "healthy" ? 0 : 1;
}
