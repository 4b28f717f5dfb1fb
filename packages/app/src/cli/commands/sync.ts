import type { Revision } from "@sluice/core";
import type { EnvironmentView } from "../../http/api.ts";
import type { SyncView } from "../../http/controls/routes.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { progressText } from "../../text/progress.ts";
import { type EngineClient, engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { progressView } from "../progress.ts";

export interface SyncOptions extends ServerOptions {
  readonly wait?: boolean;
  readonly retry?: boolean;
  readonly outsideWindow?: boolean;
}

/** `sluice sync`: look at the branch and at what runs now, not at the next interval. */
export async function sync(options: SyncOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  const environment = await client.environment();
  const path = `/api/v1/environments/${environment.name}/sync`;
  const wish = await client.post<SyncView>(path, {
    retry: options.retry === true,
    outsideWindow: options.outsideWindow === true,
  });
  if (options.wait) return followSync({ client, environment, context }, wish);
  context.out(`${GLYPH.begin} ${environment.name} reconciles; \`sluice wait\` follows it\n`);
  return 0;
}

/** `sluice wait`: until the branch's newest commit is deployed. 0 healthy, 1 not. */
export async function wait(options: ServerOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  return follow({ client, environment: await client.environment(), context }, "");
}

interface Following {
  readonly client: EngineClient;
  readonly environment: EnvironmentView;
  readonly context: CliContext;
}

/** Until that very sync has come to its end, however an earlier look at the same revision ended. */
export function followSync(following: Following, { at, from }: SyncView): Promise<ExitCode> {
  const { mirror, deployer } = from;
  return follow(following, `?token=${encodeURIComponent(at)}&mirror=${mirror}&deployer=${deployer}`);
}

/** Until a commit is deployed. */
export function followCommit(following: Following, revision: Revision): Promise<ExitCode> {
  return follow(following, `?revision=${encodeURIComponent(revision)}`);
}

async function follow({ client, environment, context }: Following, query: string): Promise<ExitCode> {
  const view = progressView(context);
  let end: string | undefined;
  try {
    for await (const line of client.follow(`/api/v1/environments/${environment.name}/follow${query}`)) {
      if (line.text) view.line(line.text);
      if (line.progress) view.progress(`${GLYPH.wait} ${progressText(line.progress)}`);
      end = line.end ?? end;
    }
  } finally {
    view.end();
  }
  return end === "healthy" ? 0 : 1;
}
