import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type JobId, systemClock } from "@sluice/core";
import { expect, it, onTestFinished, vi } from "vitest";
import { hintsOf, watchEvents } from "./events.ts";

it.each([
  [{ eventType: "status_update_event", appId: "/shop/web" }, ["shop/web"]],
  [{ eventType: "instance_changed_event", runSpecId: "/shop/web" }, ["shop/web"]],
  [{ eventType: "api_post_event", appDefinition: { id: "/shop/web" } }, ["shop/web"]],
  [
    { plan: { steps: [{ actions: [{ app: "/a" }, { app: "/b" }] }, { actions: [{ app: "/a" }] }] } },
    ["a", "b"],
  ],
  [{ eventType: "deployment_success", id: "x" }, [undefined]],
  [[], [undefined]],
])("takes the apps from %j", (event, ids) => {
  expect(hintsOf(JSON.stringify(event))).toEqual(ids);
});

it("hints at anything after each connection, and at apps as events come, across a lost connection", async () => {
  const streams: ServerResponse[] = [];
  const address = await serving((response) => {
    streams.push(response.writeHead(200, { "content-type": "text/event-stream" }));
    response.write('event: status_update_event\r\ndata: {"appId":"/web-');
    response.write(`${streams.length}"}\r\n\r\n`);
  });
  const { hints, stop } = watching(address);
  await vi.waitFor(() => expect(hints).toEqual([undefined, "web-1"]));
  streams[0]?.destroy();
  await vi.waitFor(() => expect(hints).toEqual([undefined, "web-1", undefined, "web-2"]));
  await stop();
});

it("goes on to the next address, and follows a standby to the leader", async () => {
  const leader = await serving((response) => response.writeHead(200).flushHeaders());
  const standby = await serving((response) =>
    response.writeHead(302, { location: `${leader}/v2/events` }).end(),
  );
  const broken = await serving((response) => response.writeHead(502).end());
  const { hints, stop } = watching(broken, standby);
  await vi.waitFor(() => expect(hints).toEqual([undefined]));
  await stop();
});

it("sends credentials to configured addresses only", async () => {
  const seen: (string | undefined)[] = [];
  const leader = await serving((response) => {
    seen.push(response.req.headers.authorization);
    response.writeHead(200).flushHeaders();
  });
  const standby = await serving((response) => {
    seen.push(response.req.headers.authorization);
    response.writeHead(302, { location: `${leader}/v2/events` }).end();
  });
  const { stop } = watching(standby);
  await vi.waitFor(() => expect(seen).toEqual(["token=jwt", undefined]));
  await stop();
});

it("ends when the reader stops reading, without a signal", async () => {
  const address = await serving((response) => response.writeHead(200).flushHeaders());
  for await (const hint of watchEvents(optionsFor([address]), new AbortController().signal)) {
    expect(hint).toBeUndefined();
    break;
  }
});

function watching(...addresses: string[]) {
  const abort = new AbortController();
  const hints: (JobId | undefined)[] = [];
  const done = (async () => {
    for await (const hint of watchEvents(optionsFor(addresses), abort.signal)) hints.push(hint);
  })();
  const stop = () => {
    abort.abort();
    return done;
  };
  onTestFinished(stop);
  return { hints, stop };
}

function optionsFor(addresses: readonly string[]) {
  const clock = {
    ...systemClock,
    sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(5, signal),
  };
  return { addresses, clock, random: () => 0, auth: { token: "jwt" } };
}

async function serving(answer: (response: ServerResponse) => unknown): Promise<string> {
  const server = createServer((_request, response) => void answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
