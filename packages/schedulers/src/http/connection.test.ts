import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { httpConnection } from "./connection.ts";

it("asks the next address where one is away, and stays with the one that answered", async () => {
  const seen: string[] = [];
  const dead = await deadAddress();
  const alive = await serving((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end('{"a":1}');
  });
  const http = httpConnection("Marathon", { addresses: [dead, alive] });
  expect(await http({ method: "GET", path: "/x?y=1" })).toEqual({
    status: 200,
    json: { a: 1 },
    text: '{"a":1}',
  });
  expect((await http({ method: "POST", path: "/z", body: {} })).status).toBe(200);
  expect(seen).toEqual(["GET /x?y=1", "POST /z"]);
});

it("sends a write elsewhere only where it was never sent", async () => {
  const second: string[] = [];
  const cutting = await serving((request) => request.socket.destroy());
  const other = await serving((request, response) => {
    second.push(request.method ?? "");
    response.end("{}");
  });
  const http = httpConnection("Marathon", { addresses: [cutting, other] });
  await expect(http({ method: "POST", path: "/", body: {} })).rejects.toMatchObject({
    code: "SCHEDULER_UNREACHABLE",
  });
  expect(second).toEqual([]);
});

it("reads from another node where one has no leader, and says so where none has", async () => {
  const standby = await serving((_request, response) => response.writeHead(502).end("no leader"));
  const leader = await serving((_request, response) => response.end("[]"));
  expect(
    (await httpConnection("Marathon", { addresses: [standby, leader] })({ method: "GET", path: "/" })).json,
  ).toEqual([]);
  expect(
    (await httpConnection("Marathon", { addresses: [standby] })({ method: "GET", path: "/" })).status,
  ).toBe(502);
});

it("gives up after its time, naming the address without its credentials", async () => {
  const silent = await serving(() => undefined);
  const address = silent.replace("http://", "http://me:hunter2@");
  const http = httpConnection("Marathon", { addresses: [address], timeoutMs: 50 });
  const failure = http({ method: "GET", path: "/" });
  await expect(failure).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
  await expect(failure).rejects.toThrow(/no answer in time/);
  await expect(failure).rejects.not.toThrow(/hunter2/);
});

it("rejects with the caller's reason where the caller gave up", async () => {
  const silent = await serving(() => undefined);
  const abort = new AbortController();
  const asked = httpConnection("Marathon", { addresses: [silent] })({
    method: "GET",
    path: "/",
    signal: abort.signal,
  });
  abort.abort(new Error("a newer revision"));
  await expect(asked).rejects.toThrow("a newer revision");
});

it.each([
  [{ username: "me", password: "pw" }, "Basic bWU6cHc="],
  [{ token: "jwt" }, "token=jwt"],
])("authorises by %j", async (auth, expected) => {
  const seen: (string | undefined)[] = [];
  const address = await serving((request, response) => {
    seen.push(request.headers.authorization);
    response.end();
  });
  await httpConnection("Marathon", { addresses: [`${address}/`], auth })({ method: "GET", path: "/" });
  expect(seen).toEqual([expected]);
});

it("has at most so many requests in flight as it is told", async () => {
  const waiting: ServerResponse[] = [];
  let most = 0;
  const address = await serving((_request, response) => {
    waiting.push(response);
    most = Math.max(most, waiting.length);
    if (waiting.length === 2) for (const one of waiting.splice(0)) one.end();
  });
  const http = httpConnection("Marathon", { addresses: [address], concurrency: 2 });
  await Promise.all(Array.from({ length: 10 }, () => http({ method: "GET", path: "/" })));
  expect(most).toBe(2);
});

async function serving(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
