import type { SluiceEvent } from "@sluice/core";
import type { EnvironmentView } from "../../http/api.ts";
import type { EventsView } from "../../http/events/routes.ts";
import { eventLines } from "../../text/events.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { type EngineClient, engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { serverMessages } from "../event-source.ts";

export interface EventsOptions extends ServerOptions {
  readonly watch?: boolean;
  readonly job?: string;
  readonly type?: string;
  readonly output: "text" | "json";
}

/** `sluice events`: what the newest events of an environment, or of all, were; `--watch`: and what comes. */
export async function events(options: EventsOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  const environments = await wanted(client, options);
  const found = await Promise.all(
    environments.map(async ({ name }) => {
      const path = `/api/v1/environments/${encodeURIComponent(name)}/events`;
      return { name, ...(await client.get<EventsView>(path)) };
    }),
  );
  const all = found.flatMap((one) => one.events.map(({ event }) => event));
  const print = (event: SluiceEvent) => {
    if (concerns(event, options)) context.out(textOf(event, options));
  };
  for (const event of all.sort((a, b) => (a.at < b.at ? -1 : 1))) print(event);
  if (!options.watch) return 0;
  await Promise.all(found.map((one) => watch({ client, context, print }, one)));
  return 0;
}

async function wanted(client: EngineClient, { environment }: ServerOptions): Promise<{ name: string }[]> {
  if (environment !== undefined) return [await client.environment()];
  return (await client.get<{ environments: EnvironmentView[] }>("/api/v1/environments")).environments;
}

interface Watching {
  readonly client: EngineClient;
  readonly context: CliContext;
  readonly print: (event: SluiceEvent) => void;
}

async function watch(
  { client, context, print }: Watching,
  { name, cursor }: { readonly name: string; readonly cursor: string },
): Promise<void> {
  const path = `/events?environment=${encodeURIComponent(name)}`;
  const onConnection = (up: boolean) =>
    context.err(
      up
        ? `${GLYPH.done} connected again\n`
        : `${GLYPH.wait} the engine at ${client.address} is gone; waiting for it\n`,
    );
  for await (const { type, data } of serverMessages(
    { client, path, after: cursor, onConnection },
    context.signal,
  )) {
    if (type === "gap")
      context.err(`${GLYPH.wait} ${name}: ${missedIn(data)} events came too fast to be kept\n`);
    else print(JSON.parse(data) as SluiceEvent);
  }
}

function missedIn(data: string): number {
  return (JSON.parse(data) as { missed: number }).missed;
}

function concerns(event: SluiceEvent, { job, type }: EventsOptions): boolean {
  if (type !== undefined && event.type !== type && !event.type.startsWith(`${type.replace(/\.$/, "")}.`))
    return false;
  return job === undefined || jobsOf(event).includes(job);
}

function jobsOf(event: SluiceEvent): readonly string[] {
  if ("key" in event) return [event.key];
  return event.type === "deployment.planned" ? event.changes.map(({ key }) => key) : [];
}

function textOf(event: SluiceEvent, { output }: EventsOptions): string {
  if (output === "json") return `${JSON.stringify(event)}\n`;
  const lines = eventLines(event);
  const shown = lines.length > 0 ? lines : [`${GLYPH.begin} ${silentText(event)}`];
  return shown.map((line) => `${event.at.slice(0, 19)}Z ${event.environment} ${line}\n`).join("");
}

/** Of events that say nothing while a person follows a push. */
function silentText(event: SluiceEvent): string {
  if (event.type === "job.changed") return `${event.key} ${event.status.reason}`;
  return "key" in event ? `${event.key} ${event.type}` : event.type;
}
