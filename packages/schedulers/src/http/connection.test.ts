import type { ServerResponse } from "node:http";
import { systemClock } from "@sluice/core";
import { manualClock } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { type ConnectionOptions, httpConnection } from "./connection.ts";
import { deadAddress, serving } from "./fake-server.ts";

function connect(options: Omit<ConnectionOptions, "clock">) {
  return httpConnection("Marathon", { clock: systemClock, ...options });
}

it("asks the next address where one is away, and stays with the one that answered", async () => {
  const seen: string[] = [];
  const dead = await deadAddress();
  const alive = await serving((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end('{"a":1}');
  });
  const http = connect({ addresses: [dead, alive] });
  expect(await http({ method: "GET", path: "/x?y=1" })).toEqual({
    status: 200,
    json: { a: 1 },
    text: '{"a":1}',
  });
  expect((await http({ method: "POST", path: "/z", body: {} })).status).toBe(200);
  expect(seen).toEqual(["GET /x?y=1", "POST /z"]);
});

it("finds the address that lives for each of many requests at once", async () => {
  const alive = await serving((_request, response) => response.end("{}"));
  const http = connect({ addresses: [await deadAddress(), alive] });
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, at) => http({ method: at % 2 ? "GET" : "POST", path: "/" })),
  );
  expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 8 }, () => 200));
});

it("asks an address that failed after all others, until half a minute has passed", async () => {
  const seen: string[] = [];
  const down = new Set(["a"]);
  const node = (name: string) =>
    serving((_request, response) => {
      seen.push(name);
      response.writeHead(down.has(name) ? 502 : 200).end("{}");
    });
  const clock = manualClock();
  const addresses = [await node("a"), await node("b"), await node("c")];
  const http = httpConnection("Marathon", { addresses, clock });
  const asked = async () => {
    await http({ method: "GET", path: "/" });
    return seen.splice(0).join("");
  };
  expect([await asked(), await asked()]).toEqual(["ab", "b"]);
  down.delete("a");
  down.add("b");
  expect(await asked()).toBe("bc");
  down.add("c");
  expect(await asked()).toBe("ca");
  await clock.advance(30_000);
  down.delete("b");
  down.add("a");
  expect(await asked()).toBe("ab");
});

it("follows a redirection to the leader where its address is configured, and sends nothing elsewhere", async () => {
  const seen: (string | undefined)[] = [];
  const stranger = await serving((_request, response) => {
    seen.push("stranger");
    response.end("{}");
  });
  let to = "";
  const standby = await serving((request, response) =>
    response.writeHead(307, { location: to + request.url }).end(),
  );
  const leader = await serving((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.end("{}");
  });
  const http = connect({ addresses: [standby, leader], auth: { token: "jwt" } });
  to = leader;
  expect((await http({ method: "PUT", path: "/x", body: {} })).status).toBe(200);
  to = stranger;
  expect((await http({ method: "PUT", path: "/x", body: {} })).status).toBe(307);
  expect(seen).toEqual(["PUT /x token=jwt"]);
});

it.each([
  ["cut off", (response: ServerResponse) => cutOff(response), /cut off|ECONNRESET/],
  ["of garbage", (response: ServerResponse) => response.socket?.end("garbage\r\n\r\n"), /does not answer/],
])("takes no answer that is %s for one", async (_how, answer, words) => {
  const address = await serving((_request, response) => answer(response));
  const asked = connect({ addresses: [address] })({ method: "GET", path: "/" });
  await expect(asked).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
  await expect(asked).rejects.toThrow(words);
});

function cutOff(response: ServerResponse) {
  response.writeHead(200, { "content-length": "100" }).write('{"apps":[]}');
  setImmediate(() => response.destroy());
}

it("reads the credentials anew for each request, and says so where they cannot be read", async () => {
  const seen: (string | undefined)[] = [];
  const address = await serving((request, response) => {
    seen.push(request.headers.authorization);
    response.end();
  });
  let token: string | undefined = "first";
  const auth = () => {
    if (token === undefined) throw new Error("ENOENT: hunter2");
    return { token };
  };
  const http = connect({ addresses: [address], auth });
  await http({ method: "GET", path: "/" });
  token = "second";
  await http({ method: "GET", path: "/" });
  expect(seen).toEqual(["token=first", "token=second"]);
  token = undefined;
  await expect(http({ method: "GET", path: "/" })).rejects.toMatchObject({
    code: "SCHEDULER_DENIED",
    message: "the file with the credentials for Marathon cannot be read",
  });
});

it("sends a write elsewhere only where it was never sent", async () => {
  const second: string[] = [];
  const cutting = await serving((request) => request.socket.destroy());
  const other = await serving((request, response) => {
    second.push(request.method ?? "");
    response.end("{}");
  });
  const http = connect({ addresses: [cutting, other] });
  await expect(http({ method: "POST", path: "/", body: {} })).rejects.toMatchObject({
    code: "SCHEDULER_UNREACHABLE",
  });
  expect(second).toEqual([]);
});

it("reads from another node where one has no leader, and says so where none has", async () => {
  const standby = await serving((_request, response) => response.writeHead(502).end("no leader"));
  const leader = await serving((_request, response) => response.end("[]"));
  expect((await connect({ addresses: [standby, leader] })({ method: "GET", path: "/" })).json).toEqual([]);
  expect((await connect({ addresses: [standby] })({ method: "GET", path: "/" })).status).toBe(502);
});

it("gives up after its time, naming the address without its credentials", async () => {
  const silent = await serving(() => undefined);
  const address = silent.replace("http://", "http://me:hunter2@");
  const http = connect({ addresses: [address], timeoutMs: 50 });
  const failure = http({ method: "GET", path: "/" });
  await expect(failure).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
  await expect(failure).rejects.toThrow(/no answer in time/);
  await expect(failure).rejects.not.toThrow(/hunter2/);
});

it("rejects with the caller's reason where the caller gave up", async () => {
  const silent = await serving(() => undefined);
  const abort = new AbortController();
  const asked = connect({ addresses: [silent] })({
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
  await connect({ addresses: [`${address}/`], auth })({ method: "GET", path: "/" });
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
  const http = connect({ addresses: [address], concurrency: 2 });
  await Promise.all(Array.from({ length: 10 }, () => http({ method: "GET", path: "/" })));
  expect(most).toBe(2);
});
