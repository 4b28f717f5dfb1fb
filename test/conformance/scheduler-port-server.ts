import { request as ask, createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@sluice/core";
import type { Garbling } from "@sluice/core/testing/scheduler-conformance";

/** Options every driver under test is opened with. */
export function optionsFor(address: string) {
  return { addresses: [address], clock: systemClock, random: () => 0.5, timeoutMs: 10_000 };
}

/** Answers every request the same way. */
export async function sameAnswer(
  answer: (method: string, path: string) => { readonly status: number; readonly body: unknown },
): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const { status, body } = answer(request.method ?? "GET", request.url ?? "/");
    request.resume();
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Stands before a server, spoils its answers to reads, and passes on everything else. @param address also `unix:///path`. */
export async function garbling(
  address: string,
  how: Garbling,
): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const { method, headers, url } = request;
    const place = address.startsWith("unix://")
      ? { socketPath: address.slice("unix://".length) }
      : { host: new URL(address).hostname, port: new URL(address).port };
    const passed = ask({ ...place, path: url, method, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        const body = Buffer.concat(parts);
        if (method === "GET") return spoil(response, how, body);
        response.writeHead(answer.statusCode ?? 500, answer.headers).end(body);
      });
    });
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function spoil(response: ServerResponse, how: Garbling, body: Buffer): void {
  const half = body.subarray(0, body.length / 2);
  if (how === "truncated") {
    response.writeHead(200, { "content-length": body.length }).write(half);
    setImmediate(() => response.destroy());
    return;
  }
  const bodies = { "cut short": half, html: "<html>log in</html>", empty: "", foreign: '{"hello":"world"}' };
  response.writeHead(200, { "content-type": "application/json" }).end(bodies[how]);
}

/** An address where nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = await sameAnswer(() => ({ status: 500, body: {} }));
  await server.stop();
  return server.address;
}

/** Sends JSON past the driver. @throws an Error for an answer of 400 and above. */
export async function byHand(method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  if (response.status >= 400) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
