import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@sluice/core";
import { type MemoryCatalog, memoryCatalog, type RecordingSink, recordingSink } from "@sluice/core/testing";
import { builtInTemplate, haproxy, type Router, router } from "@sluice/router";
import { afterEach, beforeEach, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { describeWithServer } from "../servers/available.ts";
import { hasHaproxy, startHaproxy, type TestHaproxy } from "../servers/haproxy.ts";

/** A server that answers with its name, and ends as a well-behaved program does: what it has begun it finishes. */
async function backend(
  name: string,
  delayMs = 0,
): Promise<{ name: string; port: number; server: Server; end(): Promise<void> }> {
  const server = createServer((_request, response) => void setTimeout(() => response.end(name), delayMs));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    name,
    port,
    server,
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
type Backend = Awaited<ReturnType<typeof backend>>;

describeWithServer("the router with a real HAProxy", { haproxy: hasHaproxy() }, () => {
  let lb: TestHaproxy;
  let catalog: MemoryCatalog;
  let sink: RecordingSink;
  let port: number;
  let stop: () => Promise<void>;
  const backends: Backend[] = [];

  beforeEach(async () => {
    [lb, port] = await Promise.all([startHaproxy(), freePort()]);
    catalog = memoryCatalog();
    sink = recordingSink();
  });
  afterEach(async () => {
    await stop?.();
    await lb?.stop();
    for (const { server } of backends.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  function start(template = builtInTemplate("haproxy")): Router {
    const controller = new AbortController();
    const { program, master, runtime, file } = lb;
    const made = router({
      catalog,
      balancer: haproxy({ program, master, runtime, clock: systemClock, reloadMs: 3_000 }),
      file,
      template,
      settings: { http_port: port, runtime },
      tag: "lb",
      services: [],
      events: sink,
      clock: systemClock,
      random: Math.random,
      timing: {
        quietMs: 20,
        patienceMs: 200,
        reloadMs: 200,
        holdMs: 1_500,
        holdEmptyMs: 3_000,
        drainMs: 1_000,
      },
    });
    const running = made.run(controller.signal);
    stop = async () => {
      controller.abort();
      await running;
    };
    return made;
  }
  async function serve(name: string, service = "web", delayMs = 0): Promise<Backend> {
    const made = await backend(name, delayMs);
    backends.push(made);
    await register(made, service);
    return made;
  }
  const register = ({ name, port: at }: Backend, service = "web", meta: Record<string, string> = {}) =>
    catalog.register({
      id: name,
      name: service,
      address: "127.0.0.1",
      port: at,
      tags: ["lb"],
      meta: { lb_host: `${service}.example.org`, ...meta },
      checks: [],
    });
  const get = (host: string, path = "/") => ask(port, host, path, false);
  const answers = (host: string, wanted: string, path = "/") =>
    eventually(`${wanted} from ${host}${path}`, async () =>
      (await get(host, path)) === wanted ? true : undefined,
    );
  /** Every different answer of some requests in a row. */
  async function voices(host: string): Promise<string[]> {
    const heard = await Promise.all(Array.from({ length: 12 }, () => get(host)));
    return [...new Set(heard)].sort();
  }

  it("leads a host and a path to the service that asks for it, and nobody to where nothing is", async () => {
    const api = await backend("api-1");
    backends.push(api);
    await serve("web-1");
    await register(api, "api", { lb_host: "web.example.org", lb_path: "/api" });
    start();
    await answers("web.example.org", "200 web-1");
    await answers("web.example.org", "200 api-1", "/api/x");
    expect(await get("WEB.example.org:80")).toBe("200 web-1");
    expect(await get("other.example.org")).toBe("404 nothing is routed here");
  });

  it("moves traffic to servers that come and go without a reload", async () => {
    const one = await serve("web-1");
    start();
    await answers("web.example.org", "200 web-1");
    const worker = await lb.worker();
    await serve("web-2");
    await serve("web-3");
    await eventually("three voices", async () =>
      (await voices("web.example.org")).length === 3 ? true : undefined,
    );
    await catalog.deregister("web-1");
    await eventually("two voices", async () =>
      (await voices("web.example.org")).join() === "200 web-2,200 web-3" ? true : undefined,
    );
    await one.end();
    expect(await lb.worker()).toBe(worker);
    expect(sink.of("router.changed").map(({ reloaded }) => reloaded)).toEqual([
      true,
      ...sink
        .of("router.changed")
        .slice(1)
        .map(() => false),
    ]);
    // What it would start with is what it runs with.
    await lb.start();
    await eventually("the same after a start", async () =>
      (await voices("web.example.org").catch(() => [])).join() === "200 web-2,200 web-3" ? true : undefined,
    );
  });

  it("reloads when it needs more places, and goes on from there", async () => {
    for (let number = 0; number < 3; number++) await serve(`web-${number}`);
    start();
    await answers("web.example.org", "200 web-0").catch(() => undefined);
    for (let number = 3; number < 6; number++) await serve(`web-${number}`);
    await eventually("six voices", async () =>
      (await voices("web.example.org")).length === 6 ? true : undefined,
    );
    expect(sink.of("router.changed").filter(({ reloaded }) => reloaded)).toHaveLength(2);
  });

  it("reloads nothing when it starts beside an HAProxy that is as it should be", async () => {
    await serve("web-1");
    start();
    await answers("web.example.org", "200 web-1");
    const worker = await lb.worker();
    await stop();
    await serve("web-2");
    start();
    await eventually("two voices", async () =>
      (await voices("web.example.org")).length === 2 ? true : undefined,
    );
    expect(await lb.worker()).toBe(worker);
  });

  it("leaves out a service that HAProxy refuses, and goes on with the others", async () => {
    await serve("web-1");
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const bad = await backend("bad");
    backends.push(bad);
    // A name that is good for us and is one of HAProxy's own keywords is not; a template of a user's own refuses it.
    await register(bad, "forbidden", { lb_host: "bad.example.org" });
    start(
      builtInTemplate("haproxy").replace(
        "backend {{ route.name }}",
        "backend {{ route.name }}\n{%- if route.name == 'forbidden' %}\n  no such words\n{%- endif %}",
      ),
    );
    await answers("web.example.org", "200 web-1");
    expect(sink.of("router.left-out").map(({ message }) => message)).toEqual([
      expect.stringMatching(/^forbidden: the load balancer refuses it: .*unknown keyword 'no'|forbidden/),
    ]);
    await serve("web-2");
    await eventually("two voices", async () =>
      (await voices("web.example.org")).length === 2 ? true : undefined,
    );
    taken.close();
  });

  it("puts the file before back where the new one does not come to work", async () => {
    await serve("web-1");
    start();
    await answers("web.example.org", "200 web-1");
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, resolve));
    const busy = (squatter.address() as AddressInfo).port;
    const other = await backend("other");
    backends.push(other);
    // The check cannot see that the port is another's; the reload does.
    await register(other, "busy", { lb_host: "", lb_port: String(busy) });
    await eventually(
      "a rollback",
      async () => (sink.of("router.rolled-back").length > 0 ? true : undefined),
      40_000,
    );
    expect(await get("web.example.org")).toBe("200 web-1");
    await new Promise((resolve) => squatter.close(resolve));
  }, 60_000);

  it("keeps the servers of a service that vanishes at once, until that is certain", async () => {
    await serve("web-1");
    await serve("web-2");
    start();
    await eventually("two voices", async () =>
      (await voices("web.example.org")).length === 2 ? true : undefined,
    );
    await catalog.deregister("web-1");
    await catalog.deregister("web-2");
    await eventually("it is told", async () => (sink.of("router.held").length > 0 ? true : undefined));
    expect(await voices("web.example.org")).toEqual(["200 web-1", "200 web-2"]);
    await eventually("nothing", async () =>
      (await get("web.example.org")).startsWith("404") ? true : undefined,
    );
  });

  it("loses no request of a busy client while every server is replaced", async () => {
    const first = await Promise.all(["a-1", "a-2", "a-3"].map((name) => serve(name, "web", 3)));
    start();
    await eventually("three voices", async () =>
      (await voices("web.example.org")).length === 3 ? true : undefined,
    );
    const load = pressure(port, "web.example.org");
    for (const [at, old] of first.entries()) {
      await serve(`b-${at + 1}`, "web", 3);
      const before = load.count();
      await eventually("some requests with the new one", async () =>
        load.count() > before + 300 ? true : undefined,
      );
      await catalog.deregister(old.name);
      await eventually("it gets nobody new", async () =>
        !(await voices("web.example.org")).includes(`200 ${old.name}`) ? true : undefined,
      );
      await old.end();
    }
    const { failures, heard } = await load.stop();
    expect(failures).toEqual([]);
    expect([...heard].filter((name) => name.startsWith("b-")).sort()).toEqual(["b-1", "b-2", "b-3"]);
  }, 60_000);
});

/** 32 clients that ask again and again on connections they keep; everything but a whole 200 is a failure. */
function pressure(port: number, host: string) {
  const stopping = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const failures: string[] = [];
  const heard = new Set<string>();
  let asked = 0;
  const client = async () => {
    while (!stopping.signal.aborted) {
      try {
        const answer = await ask(port, host, "/", agent);
        if (answer.startsWith("200 ")) heard.add(answer.slice(4));
        else failures.push(answer);
      } catch (error) {
        failures.push(String(error));
      }
      asked += 1;
    }
  };
  const clients = Array.from({ length: 32 }, client);
  return {
    count: () => asked,
    async stop() {
      stopping.abort();
      await Promise.all(clients);
      agent.destroy();
      return { failures, heard };
    },
  };
}

/** `200 what it said`. Rejects where the connection breaks, or the body is shorter than it should be. */
function ask(port: number, host: string, path: string, agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, agent, headers: { host } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("error", reject);
      answer.on("end", () => resolve(`${answer.statusCode} ${text.trim()}`));
    });
    call.on("error", reject);
    call.end();
  });
}
