import type { ServerResponse } from "node:http";
import { linkedAbort } from "../../process/linked-abort.ts";
import { withLightPlan } from "../deployment/plan-events.ts";
import type { MarathonEvent } from "../events.ts";
import type { Api } from "./api.ts";
import { type Answer, type ApiRequest, route } from "./router.ts";

/** Marathon disconnects a subscriber that this many events wait for. */
const MAX_QUEUED = 1024;
/** Jetty's event stream servlet. */
const HEARTBEAT_MS = 10_000;

export const eventRoutes = [route("GET", /^\/v2\/events\/*$/, subscribe)];

function subscribe(request: ApiRequest, api: Api): Answer {
  if (!request.raw.headers.accept?.includes("text/event-stream"))
    return {
      status: 405,
      text: "<html><body><h2>HTTP ERROR 405</h2><p>This resource answers only with Content-Type: text/event-stream</p></body></html>",
      headers: { "Content-Type": "text/html" },
    };
  const { query } = request;
  const types = query.getAll("event_type");
  const isLight = (query.get("plan-format") ?? query.get("plan_format")) === "light";
  const format = isLight && api.profile.planFormat === "optional" ? withLightPlan : undefined;
  return {
    status: 200,
    headers: { "Content-Type": "text/event-stream;charset=utf-8", Connection: "close" },
    stream: (response) => stream(response, { remoteAddress: request.clientIp, types, format }, api),
  };
}

interface Subscriber {
  remoteAddress: string;
  /** Event types that are sent; none: all. */
  types: readonly string[];
  /** What is left of an event. */
  format: ((event: MarathonEvent) => MarathonEvent) | undefined;
}

async function stream(
  response: ServerResponse,
  { remoteAddress, types, format = (event) => event }: Subscriber,
  api: Api,
): Promise<void> {
  const closed = linkedAbort([api.closing]);
  let queued = 0;
  function write(text: string): void {
    if (response.writableEnded) return;
    if (++queued > MAX_QUEUED) response.destroy();
    else response.write(text, () => queued--);
  }
  const unsubscribe = api.events.subscribe((event) => {
    if (types.length === 0 || types.includes(event.eventType)) write(frame(format(event)));
  });
  response.once("close", () => {
    closed.abort();
    unsubscribe();
    ended();
    api.events.emit("event_stream_detached", { remoteAddress });
  });
  // The one who gave up the lead serves no stream; the client is to ask the next leader.
  const ended = api.leadership.onAbdication(() => response.destroy());
  response.flushHeaders();
  api.events.emit("event_stream_attached", { remoteAddress });
  const { signal } = closed;
  while (!signal.aborted) {
    await api.clock.sleep(HEARTBEAT_MS, signal);
    if (!signal.aborted) write("\r\n");
  }
  response.end();
}

function frame(event: MarathonEvent): string {
  return `event: ${event.eventType}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`;
}
