import { EventEmitter } from "node:events";
import type Docker from "dockerode";

/** What Docker tells: `"<type> <action>"` with milliseconds since the epoch and the object's attributes. */
export type DockerEvents = EventEmitter<
  Record<string, [at: number, attributes: Record<string, string>, id: string]>
>;

interface DockerEvent {
  readonly Type: string;
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes?: Record<string, string> };
}

/** Follows Docker's events until the signal aborts. */
export async function dockerEvents(client: Docker, signal: AbortSignal): Promise<DockerEvents> {
  const events: DockerEvents = new EventEmitter();
  const stream = (await client.getEvents({})) as NodeJS.ReadableStream & { destroy(): void };
  signal.addEventListener("abort", () => stream.destroy(), { once: true });
  let rest = "";
  stream.on("error", () => undefined);
  stream.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") continue;
      const { Type, Action, timeNano, Actor } = JSON.parse(line) as DockerEvent;
      events.emit(`${Type} ${Action}`, timeNano / 1e6, Actor.Attributes ?? {}, Actor.ID);
    }
  });
  return events;
}
