import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Clock } from "@sluice/core";

/** An answer that stands in for the server's own. */
export interface FaultyAnswer {
  status: number;
  /** A text is sent as it is, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** What goes wrong with a request. */
export type Mishap =
  /** It is not carried out, and this is answered. */
  | { answer: FaultyAnswer }
  /** The connection is reset: before the request is carried out, or after, in place of the answer. */
  | { reset: "before" | "after" }
  /** It is carried out this many milliseconds later. */
  | { slowMs: number };

export interface Fault {
  mishap: Mishap;
  /** Only requests with this method. */
  method?: string;
  /** Only requests whose path, without its query, matches. */
  path?: RegExp;
  /** How many requests it befalls; default: all. */
  times?: number;
}

/** Faults of a server that a test chooses. One object serves one server. */
export interface Faults {
  /** Adds a fault; of several that fit a request the latest decides. @returns takes it away. */
  inject(fault: Fault): () => void;
  clear(): void;
  /** Cuts every event stream that is open. @returns how many. */
  cutStreams(): number;
  /** The requests that a fault befell, in order: `PUT /v2/apps/x?force=true`. */
  hits(): string[];
  /** For the server: a listener that the faults stand in front of. */
  guard(listener: RequestListener, clock: Clock): RequestListener;
}

export function faults(): Faults {
  const injected = new Set<Fault & { left: number }>();
  const streams = new Set<ServerResponse>();
  const hits: string[] = [];

  function next(request: IncomingMessage): Mishap | undefined {
    const found = [...injected].reverse().find((fault) => fits(fault, request));
    if (!found) return undefined;
    if (--found.left <= 0) injected.delete(found);
    hits.push(`${request.method} ${request.url}`);
    return found.mishap;
  }

  return {
    inject(fault) {
      const one = { ...fault, left: fault.times ?? Number.POSITIVE_INFINITY };
      injected.add(one);
      return () => void injected.delete(one);
    },
    clear: () => injected.clear(),
    cutStreams() {
      const open = [...streams].filter((response) => isStream(response));
      for (const response of open) response.socket?.resetAndDestroy();
      return open.length;
    },
    hits: () => [...hits],
    guard: (listener, clock) => (request, response) => {
      streams.add(response);
      response.once("close", () => streams.delete(response));
      const mishap = next(request);
      if (!mishap) return listener(request, response);
      if ("answer" in mishap) return answer(request, response, mishap.answer);
      if ("slowMs" in mishap) return void clock.sleep(mishap.slowMs).then(() => listener(request, response));
      if (mishap.reset === "after") {
        resetInsteadOfAnswer(response);
        return listener(request, response);
      }
      return void request.socket.resetAndDestroy();
    },
  };
}

function fits({ method, path }: Fault, request: IncomingMessage): boolean {
  const [sentPath = ""] = (request.url ?? "").split("?");
  return (method === undefined || method === request.method) && (path === undefined || path.test(sentPath));
}

function isStream(response: ServerResponse): boolean {
  return String(response.getHeader("content-type")).startsWith("text/event-stream");
}

function answer(request: IncomingMessage, response: ServerResponse, faulty: FaultyAnswer): void {
  const isText = typeof faulty.body === "string" || faulty.body === undefined;
  const text = isText ? String(faulty.body ?? "") : JSON.stringify(faulty.body);
  response.writeHead(faulty.status, {
    "Content-Type": isText ? "text/html;charset=utf-8" : "application/json",
    "Content-Length": Buffer.byteLength(text),
    ...faulty.headers,
  });
  response.end(text);
  request.resume();
}

/** The server carries the request out and believes that it answers. */
function resetInsteadOfAnswer(response: ServerResponse): void {
  const cut = () => {
    response.socket?.resetAndDestroy();
    return response;
  };
  response.flushHeaders = cut;
  response.write = () => Boolean(cut());
  response.end = cut;
}
