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
  [{ plan: { steps: [{ actions: [{ pod: "/p" }] }] } }, ["p"]],
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

it("pauses longer and longer where streams are cut at once, and not where one lasted", async () => {
  const pauses: number[] = [];
  let now = 0;
  const clock = {
    now: () => now,
    sleep(ms: number, signal?: AbortSignal) {
      pauses.push(ms);
      return systemClock.sleep(1, signal);
    },
  };
  const streams: ServerResponse[] = [];
  const address = await serving((response) => {
    streams.push(response.writeHead(200));
    response.flushHeaders();
  });
  for await (const _ of watchEvents({ ...optionsFor([address]), clock }, new AbortController().signal)) {
    if (streams.length === 6) break;
    if (streams.length === 5) now += 30_000;
    streams.at(-1)?.destroy();
  }
  expect(pauses.slice(0, 5)).toEqual([250, 500, 1000, 2000, 250]);
});

it("takes an event of megabytes, and opens another stream after one without end", async () => {
  const streams: ServerResponse[] = [];
  const line = `data: {"appId":"/web","plan":"${"x".repeat(2_000_000)}"}\r\n\r\n`;
  const address = await serving((response) => {
    streams.push(response.writeHead(200));
    response.write(streams.length === 1 ? line : ": hello\r\n");
    if (streams.length > 1) return;
    const flood = () => {
      if (!response.destroyed) response.write("x".repeat(1_000_000), flood);
    };
    setTimeout(flood, 20);
  });
  const { hints, stop } = watching(address);
  await vi.waitFor(() => expect(hints).toEqual([undefined, "web", undefined]), { timeout: 10_000 });
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
