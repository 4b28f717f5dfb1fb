import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { engineClient } from "./client.ts";
import type { CliContext } from "./context.ts";
import { serverMessages } from "./event-source.ts";

let server: Server;
let asked: string[];
/** What each connection in turn is answered; undefined: refused with 404. */
let answers: (readonly number[] | undefined)[];
let stopping: AbortController;

beforeEach(async () => {
  asked = [];
  stopping = new AbortController();
  server = createServer((request, response) => {
    asked.push(new URL(request.url ?? "", "http://x").searchParams.get("after") ?? "");
    const ids = answers.shift();
    if (!ids) return void response.writeHead(404).end(JSON.stringify({ code: "NOT_FOUND", message: "gone" }));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": alive\n\n");
    for (const id of ids) response.write(`id: ${id}\nevent: job.changed\ndata: {"n":${id}}\n\n`);
    // Half a message is none.
    response.write("id: 99\nevent: job.cha", () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function messages(onConnection?: (up: boolean) => void) {
  const context = { env: {}, cwd: ".", signal: stopping.signal } as unknown as CliContext;
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = engineClient({ server: address }, context);
  const options = {
    client,
    path: "/events?environment=shop",
    after: "0",
    ...(onConnection ? { onConnection } : {}),
  };
  return serverMessages(options, stopping.signal);
}

it("after a lost connection it goes on behind the last whole message, and says that it was lost", async () => {
  answers = [[1, 2], [], [3]];
  const seen: string[] = [];
  const connection: boolean[] = [];
  for await (const { id, data } of messages((up) => connection.push(up))) {
    seen.push(`${id} ${data}`);
    if (id === "3") stopping.abort();
  }
  expect(seen).toEqual(['1 {"n":1}', '2 {"n":2}', '3 {"n":3}']);
  expect(asked).toEqual(["0", "2", "2"]);
  expect(connection.slice(0, 2)).toEqual([false, true]);
});

it("ends with what the server says for good", async () => {
  answers = [undefined];
  const read = async () => {
    for await (const _ of messages()) throw new Error("there is nothing to read");
  };
  await expect(read()).rejects.toMatchObject({ code: "NOT_FOUND" });
});
