import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Faults } from "../../faults/faults.ts";
import { Refusal } from "../refusal.ts";
import type { Api } from "./api.ts";
import { readJson } from "./body.ts";
import { type Answer, findRoute, type Route } from "./router.ts";
import { needsNoLeader } from "./server-facts.ts";

/** The server, not listening yet. */
export function httpServer(routes: readonly Route[], api: Api, faults?: Faults): Server {
  const listener: RequestListener = (request, response) => {
    void respond(routes, api, request, response);
  };
  return createServer(faults ? faults.guard(listener, api.clock) : listener);
}

async function respond(
  routes: readonly Route[],
  api: Api,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (const [name, value] of commonHeaders(api)) response.setHeader(name, value);
  try {
    const answer = await answerTo(routes, api, request);
    await send(response, answer);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else if (error instanceof Refusal) await send(response, { status: error.status, json: error.body });
    else await send(response, { status: 500, json: { message: (error as Error).message } });
  }
  // What a refused request still sends is read and thrown away, so that the connection can serve the next one.
  request.resume();
}

async function answerTo(routes: readonly Route[], api: Api, request: IncomingMessage): Promise<Answer> {
  const url = request.url ?? "/";
  const cut = url.indexOf("?");
  const path = decodePath(cut < 0 ? url : url.slice(0, cut));
  if (!api.leadership.leads() && !needsNoLeader(path))
    throw new Refusal(502, { message: "Could not determine the current leader" });
  const { route, params } = findRoute(routes, request.method ?? "GET", path, api);
  const query = new URLSearchParams(cut < 0 ? "" : url.slice(cut + 1));
  return route.answer(
    {
      params,
      query,
      url,
      clientIp: request.socket.remoteAddress ?? "",
      raw: request,
      json: () => readJson(request),
    },
    api,
  );
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (answer.stream) {
    await answer.stream(response);
    return;
  }
  if (answer.json !== undefined) response.setHeader("Content-Type", "application/json");
  const text = answer.json === undefined ? (answer.text ?? "") : JSON.stringify(answer.json);
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.end(text);
}

function commonHeaders(api: Api): [string, string][] {
  return [
    ["Cache-Control", "no-cache, no-store, must-revalidate"],
    ["Pragma", "no-cache"],
    ["Expires", "0"],
    ["X-Marathon-Leader", `http://${api.address()}`],
    ["X-Frame-Options", "DENY"],
    ["X-XSS-Protection", "1; mode=block"],
  ];
}

/** @throws Refusal 400 for a malformed escape. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Refusal(400, { message: "Bad Request" });
  }
}
