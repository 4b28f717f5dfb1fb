import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** A request on its way to Consul. */
export interface Passing {
  /** Counted from 1. */
  readonly nth: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly body: Buffer;
}

/** What happens to one request; members that are absent leave it alone. */
export interface Fault {
  /** Awaited before the request goes on. It goes on even where the client has given up by then. */
  readonly hold?: () => Promise<unknown>;
  /** False: Consul never sees it. */
  readonly forward?: boolean;
  /** Awaited once Consul has answered, before the client hears of it. */
  readonly answered?: () => Promise<unknown>;
  /** Instead of Consul's answer: a reset connection, half of the answer, or an answer of the proxy's own. */
  readonly answer?: "reset" | "half" | { readonly status: number; readonly text: string };
}

export type Intercept = (passing: Passing) => Fault | undefined;

/** An HTTP proxy between an adapter and Consul that does as it is told. */
export interface FaultProxy {
  readonly address: string;
  /** From now on decides each request's fate; requests are counted anew. Undefined: all pass. */
  intercept(decide: Intercept | undefined): void;
  /** Requests since the last call of `intercept`. */
  seen(): number;
  /** Resolves once every request that a fault delays has been dealt with. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export async function faultProxy(upstream: string): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const delayed = new Set<Promise<void>>();
  let decide: Intercept | undefined;
  let seen = 0;

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = "GET", url = "/", headers } = req;
    const body = await bodyOf(req);
    const fault = decide?.({ nth: ++seen, method, url, body });
    const passing = { method, url, headers, body };
    if (!fault) return answerWith(res, await forward(agent, upstream, passing, res));
    // A blocking query is held for nobody once its client is gone; any other request arrives all the same.
    const waits = url.includes("wait=");
    const work = suffer(fault, () => forward(agent, upstream, passing, waits ? res : undefined), res);
    if (waits) return work;
    const kept = work.catch(() => undefined).finally(() => delayed.delete(kept));
    delayed.add(kept);
    return work;
  }
  const server = createServer((req, res) => void serve(req, res).catch(() => res.destroy()));
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    intercept(next) {
      decide = next;
      seen = 0;
    },
    seen: () => seen,
    async settled() {
      while (delayed.size > 0) await Promise.all(delayed);
    },
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

async function suffer(fault: Fault, send: () => Promise<Answer>, res: ServerResponse): Promise<void> {
  await fault.hold?.();
  const answer = fault.forward === false ? undefined : await send();
  await fault.answered?.();
  if (fault.answer === "reset") res.socket?.resetAndDestroy();
  else if (fault.answer === "half") cutShort(res, answer);
  else if (fault.answer)
    answerWith(res, { ...fault.answer, headers: {}, body: Buffer.from(fault.answer.text) });
  else answerWith(res, answer ?? { status: 502, headers: {}, body: Buffer.alloc(0) });
}

function answerWith(res: ServerResponse, { status, headers, body }: Answer): void {
  res.writeHead(status, { ...consulHeaders(headers), "content-length": body.length });
  res.end(body);
}

function cutShort(res: ServerResponse, answer: Answer | undefined): void {
  const { status, headers, body } = answer ?? { status: 200, headers: {}, body: Buffer.from("[]") };
  res.writeHead(status, { ...consulHeaders(headers), "content-length": body.length });
  const half = body.subarray(0, Math.floor(body.length / 2));
  res.write(half, () => res.socket?.resetAndDestroy());
}

function consulHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(
    ([name]) => name === "content-type" || name.startsWith("x-consul"),
  );
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}

/** @param client whose going away ends the request: Consul would hold a blocking query for nobody. */
function forward(
  agent: Agent,
  upstream: string,
  passing: { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer },
  client?: ServerResponse,
): Promise<Answer> {
  const { method, url, headers, body } = passing;
  return new Promise((resolve, reject) => {
    const sent = request(`${upstream}${url}`, {
      agent,
      method,
      headers: { ...headers, connection: "keep-alive" },
    });
    client?.once("close", () => sent.destroy());
    sent.once("error", reject);
    sent.once("response", (response: IncomingMessage) => {
      const { statusCode: status = 500, headers: answered } = response;
      bodyOf(response).then((bytes) => resolve({ status, headers: answered, body: bytes }), reject);
    });
    sent.end(body);
  });
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
