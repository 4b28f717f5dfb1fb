import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@sluice/core";

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
