import { SluiceError } from "@sluice/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Environment } from "../../engine/environment.ts";
import type { HttpContext } from "../context.ts";
import { findEnvironment } from "../find.ts";
import { type Cursor, cursorText, parseCursor, START } from "./cursor.ts";
import { type LoggedNews, readLogs, watchLogs } from "./logged-events.ts";

/** What an environment's logs hold, as the API tells it. */
export interface EventsView {
  readonly events: readonly { readonly cursor: string; readonly event: NonNullable<LoggedNews["event"]> }[];
  /** Where the logs end: what to follow them from. */
  readonly cursor: string;
}

interface EventsQuery {
  readonly environment?: string;
  readonly after?: string;
}

/** Between two signs of life on a stream that has nothing to tell, in milliseconds. */
const ALIVE_MS = 15_000;

/**
 * `/events`, a stream: without an environment, all that this very process does, as it happens. With one, what its logs in the
 * KV say, whichever process wrote them, with an id for each event from which a reader goes on without loss or repetition.
 */
export function eventRoutes(app: FastifyInstance, context: HttpContext): void {
  const { environments, kv, stream } = context;

  app.get<{ Params: { name: string }; Querystring: EventsQuery }>(
    "/api/v1/environments/:name/events",
    async ({ params, query }): Promise<EventsView> => {
      const environment = findEnvironment(environments, params.name);
      const { news, cursor } = await readLogs(kv, environment, cursorIn(query.after) ?? START);
      const events = news.flatMap((one) =>
        one.event ? [{ cursor: cursorText(one.cursor), event: one.event }] : [],
      );
      return { events, cursor: cursorText(cursor) };
    },
  );

  app.get<{ Querystring: EventsQuery }>("/events", async (request, reply) => {
    const { environment: name, after } = request.query;
    if (name === undefined)
      return void sendStream(request, reply, context, (write) =>
        stream.listen((event) => write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)),
      );
    const environment = findEnvironment(environments, name);
    const last = request.headers["last-event-id"];
    const from =
      cursorIn(typeof last === "string" ? last : after) ?? (await readLogs(kv, environment, START)).cursor;
    sendStream(request, reply, context, (write) => follow(environment, from, context, write));
  });
}

/** @throws USAGE for a text that is no cursor. */
function cursorIn(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const cursor = parseCursor(text);
  if (cursor) return cursor;
  throw new SluiceError("USAGE", `"${text.slice(0, 80)}" names no place in the event logs`);
}

type Write = (text: string) => void;

function follow(environment: Environment, from: Cursor, { kv }: HttpContext, write: Write): () => void {
  const stopping = new AbortController();
  const pump = async () => {
    for await (const { cursor, event, gap } of watchLogs(kv, environment, from, stopping.signal)) {
      const [type, data] = event ? [event.type, event] : ["gap", gap];
      write(`id: ${cursorText(cursor)}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  };
  void pump();
  return () => stopping.abort();
}

/** Hands the connection to `begin` until the client goes away or the server stops. */
function sendStream(
  request: FastifyRequest,
  reply: FastifyReply,
  { signal, clock }: HttpContext,
  begin: (write: Write) => () => void,
): void {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const write = (text: string) => void reply.raw.write(text);
  write(": sluice\n\n");
  const over = new AbortController();
  const stop = begin(write);
  const alive = async () => {
    for (;;) {
      await clock.sleep(ALIVE_MS, over.signal);
      if (over.signal.aborted) return;
      write(": alive\n\n");
    }
  };
  void alive();
  const end = () => {
    over.abort();
    stop();
    signal.removeEventListener("abort", end);
    reply.raw.end();
  };
  request.raw.socket.once("close", end);
  signal.addEventListener("abort", end, { once: true });
}
