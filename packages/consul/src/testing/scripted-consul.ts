import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A request as the script sees it. */
export interface Seen {
  readonly method: string;
  /** Without `/v1`, undecoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  readonly token: string | undefined;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, everything else as JSON. */
  readonly body?: unknown;
}

/** What the script may do instead of answering: reset the connection, never answer, or stop in the middle of an answer. */
export type Fault = "reset" | "hang" | "cut";

export interface ScriptedConsul {
  readonly address: string;
  readonly seen: readonly Seen[];
  stop(): Promise<void>;
}

/** An HTTP server that answers as a test tells it to. `number` counts the requests from 1. */
export async function scriptedConsul(
  script: (request: Seen, number: number) => Answer | Fault | Promise<Answer | Fault>,
): Promise<ScriptedConsul> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void read(request).then(async (one) => {
      seen.push(one);
      perform(await script(one, seen.length), request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = server.address();
  return {
    address: `http://127.0.0.1:${typeof at === "object" ? at?.port : 0}`,
    seen,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A key as `GET /v1/kv/KEY` answers it. */
export function keyAnswer(key: string, text: string, index: number, more: object = {}): Answer {
  const entry = { Key: key, Value: Buffer.from(text).toString("base64"), ModifyIndex: index, ...more };
  return { headers: { "x-consul-index": String(index) }, body: [entry] };
}

/** "No such key" as Consul says it. */
export function absentAnswer(index: number): Answer {
  return { status: 404, headers: { "x-consul-index": String(index) } };
}

async function read(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = new URL(request.url ?? "/", "http://consul");
  return {
    method: request.method ?? "",
    path: url.pathname.replace(/^\/v1/, ""),
    query: Object.fromEntries(url.searchParams),
    body: Buffer.concat(chunks).toString(),
    token: request.headers["x-consul-token"]?.toString(),
  };
}

function perform(answer: Answer | Fault, request: IncomingMessage, response: ServerResponse): void {
  if (answer === "hang") return;
  if (answer === "reset") {
    request.socket.resetAndDestroy();
    return;
  }
  if (answer === "cut") {
    response.writeHead(200, { "content-length": "100", "content-type": "application/json" });
    response.write("[{", () => request.socket.destroy());
    return;
  }
  const text = typeof answer.body === "string";
  const type = text ? "text/plain; charset=utf-8" : "application/json";
  response.writeHead(answer.status ?? 200, {
    ...(answer.body === undefined ? {} : { "content-type": type }),
    ...answer.headers,
  });
  response.end(text ? answer.body : JSON.stringify(answer.body));
}
