import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { KeyTooLong } from "../store/transaction.ts";
import { type Answer, ConsulError, TEXT } from "./answer.ts";
import { prettied } from "./pretty.ts";
import type { Request } from "./request.ts";
import { handlerOf, type Route, type Router } from "./router.ts";

const NO_BODY = Buffer.alloc(0);
/** Bodies of routes that set no limit of their own. */
const DEFAULT_LIMIT = { bytes: 8 * 1024 * 1024, option: "embedded" };

export interface HttpFace {
  server: Server;
  /** Takes no new connections, lets the answers under way go out, then ends all connections. */
  close(): Promise<void>;
}

/** How long an answer under way may hold up the end. */
const DRAIN_MS = 2_000;

/** The HTTP face: finds the route, reads the body, answers in Consul's ways. @param failed told of unexpected errors. */
export function httpFace(router: Router, failed: (error: unknown) => void): HttpFace {
  const open = new Set<Promise<unknown>>();
  const server = createServer((incoming, response) => {
    const closed: Promise<unknown> = once(response, "close").finally(() => open.delete(closed));
    open.add(closed);
    void serve(router, { incoming, response }, failed).then((answer) => send(response, incoming, answer));
  });
  // A blocking query may take over ten minutes; its connection must not be cut before.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 120_000;
  return {
    server,
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await Promise.allSettled(open);
      server.closeAllConnections();
      await closed;
      clearTimeout(late);
    },
  };
}

interface Exchange {
  incoming: IncomingMessage;
  response: ServerResponse;
}

async function serve(router: Router, exchange: Exchange, failed: (error: unknown) => void): Promise<Answer> {
  try {
    return await answer(router, exchange);
  } catch (error) {
    if (error instanceof ConsulError) {
      return { status: error.status, body: error.message, type: TEXT, headers: error.headers };
    }
    if (error instanceof KeyTooLong) return { status: 400, body: error.message, type: TEXT };
    failed(error);
    return { status: 500, body: error instanceof Error ? error.message : String(error), type: TEXT };
  }
}

async function answer(router: Router, { incoming, response }: Exchange): Promise<Answer> {
  const method = incoming.method ?? "GET";
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  const path = decoded(mark < 0 ? url : url.slice(0, mark));
  const clean = cleaned(path);
  if (clean !== path) return moved(encodeURI(clean) + (mark < 0 ? "" : url.slice(mark)));
  const match = router.match(path);
  if (!match)
    return router.match(`${path}/`)?.route.path === `${path}/` ? moved(`${path}/`) : { status: 404 };
  const handler = handlerOf(match.route, method);
  const body = method === "PUT" ? await readBody(incoming, match.route) : NO_BODY;
  const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
  const result = await handler(request({ method, rest: match.rest, query, body }, response));
  return query.has("pretty") ? prettied(result) : result;
}

/** The signal is made only when a handler asks for it: writes and plain reads never do. */
function request(base: Omit<Request, "signal">, response: ServerResponse): Request {
  return {
    ...base,
    get signal() {
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      if (response.destroyed) gone.abort();
      return gone.signal;
    },
  };
}

function decoded(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw new ConsulError(400, "The path is not percent-encoded UTF-8");
  }
}

/** Go's path.Clean, which its mux redirects to: no empty, `.` or `..` segments. */
function cleaned(path: string): string {
  if (!/\/\/|\/\.{1,2}(?:\/|$)/.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}${path.endsWith("/") && parts.length > 0 ? "/" : ""}`;
}

function moved(location: string): Answer {
  return { status: 301, headers: { Location: location } };
}

function readBody(incoming: IncomingMessage, route: Route): Promise<Buffer> {
  const { bytes, option } = route.bodyLimit ?? DEFAULT_LIMIT;
  const help = `max size: ${bytes} bytes. See https://www.consul.io/docs/agent/options.html#${option}.`;
  const length = Number(incoming.headers["content-length"] ?? 0);
  if (length > bytes) {
    throw new ConsulError(413, `Request body(${length} bytes) too large, ${help}`, { Connection: "close" });
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bytes) chunks.push(chunk);
      else reject(new ConsulError(413, `Request body too large, ${help}`, { Connection: "close" }));
    });
    incoming.on("end", () => resolve(chunks.length === 1 ? (chunks[0] ?? NO_BODY) : Buffer.concat(chunks)));
    incoming.on("error", reject);
  });
}

function send(
  response: ServerResponse,
  incoming: IncomingMessage,
  { status, body, type, headers }: Answer,
): void {
  const sent = body === undefined ? NO_BODY : body;
  const all: Record<string, string | number> = { ...headers };
  if (body !== undefined) all["Content-Type"] = type ?? "application/json";
  all["Content-Length"] = Buffer.byteLength(sent);
  response.writeHead(status, all);
  response.end(incoming.method === "HEAD" ? undefined : sent);
}
