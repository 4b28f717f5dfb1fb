import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it arrived, byte for byte. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A server that remembers what it is sent and answers as it is told. */
export interface HttpStandIn {
  readonly url: string;
  readonly received: readonly Received[];
  answer: (request: Received) => Answer;
  stop(): Promise<void>;
}

export async function httpStandIn(): Promise<HttpStandIn> {
  const received: Received[] = [];
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (part: Buffer) => parts.push(part));
    req.on("end", () => {
      const { method = "", url = "", headers } = req;
      const one = { method, path: url, headers, body: Buffer.concat(parts).toString("utf8") };
      received.push(one);
      const { status, headers: sent = {}, body = "" } = standIn.answer(one);
      res.writeHead(status, sent).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const standIn: HttpStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: () => ({ status: 200, body: "ok" }),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return standIn;
}
