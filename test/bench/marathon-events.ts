import { get } from "node:http";

/** The moments at which a Marathon received writes of apps, from its own event stream. */
export interface AppEvents {
  /** When the next write of this app was received, milliseconds since the epoch. */
  next(app: string): Promise<number>;
  stop(): void;
}

export async function appEvents(marathon: string): Promise<AppEvents> {
  const waiting = new Map<string, (at: number) => void>();
  const request = get(`${marathon}/v2/events?event_type=api_post_event`, {
    headers: { accept: "text/event-stream" },
  });
  const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  request.on("error", () => undefined);
  let rest = "";
  response.on("error", () => undefined);
  response.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const event = JSON.parse(line.slice(5)) as { timestamp: string; appDefinition?: { id: string } };
      const id = event.appDefinition?.id ?? "";
      waiting.get(id)?.(Date.parse(event.timestamp));
      waiting.delete(id);
    }
  });
  return {
    next: (app) => new Promise((resolve) => void waiting.set(app, resolve)),
    stop: () => void request.destroy(),
  };
}
