import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@sluice/core";
import { type MemoryCatalog, memoryCatalog, type RecordingSink, recordingSink } from "@sluice/core/testing";
import { builtInTemplate, commands, haproxy, type Router, router } from "@sluice/router";
import { afterEach, beforeEach, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { describeWithServer } from "../servers/available.ts";
import { hasHaproxy, startHaproxy, type TestHaproxy } from "../servers/haproxy.ts";

const NGINX = "/usr/sbin/nginx";

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

  it("matches paths by whole words, and prefers the exact host", async () => {
    const [api, wild, sub] = await Promise.all(["api-1", "wild-1", "sub-1"].map((name) => backend(name)));
    if (!api || !wild || !sub) throw new Error("no backends");
    backends.push(api, wild, sub);
    await serve("web-1");
    await register(api, "api", { lb_host: "", lb_path: "/api" });
    await register(wild, "wild", { lb_host: "*.example.org" });
    await register(sub, "sub", { lb_host: "web.example.org", lb_path: "/api/v2" });
    start();
    await answers("web.example.org", "200 sub-1", "/api/v2?x=1");
    expect(await get("web.example.org", "/api/v2x")).toBe("200 web-1");
    expect(await get("other.example.org", "/apix")).toBe("200 wild-1");
    expect(await get("else.org", "/api")).toBe("200 api-1");
    expect(await get("else.org", "/apix")).toBe("404 nothing is routed here");
  });

  it("sends a question again that a server left unanswered, and never an order", async () => {
    const asked: string[] = [];
    const broken = createServer((question) => {
      asked.push(question.method ?? "");
      question.socket.destroy();
    });
    await new Promise<void>((resolve) => broken.listen(0, "127.0.0.1", resolve));
    backends.push({
      name: "bad",
      port: (broken.address() as AddressInfo).port,
      server: broken,
      end: async () => {},
    });
    await serve("web-1");
    await register(backends[0] as Backend);
    start();
    await answers("web.example.org", "200 web-1");
    await Promise.all(Array.from({ length: 8 }, () => get("web.example.org")));
    const orders = Array.from({ length: 8 }, () =>
      ask(port, "web.example.org", "/", false, "POST").catch((error: unknown) => String(error)),
    );
    const ends = await Promise.all(orders);
    expect(asked.filter((method) => method === "POST")).toHaveLength(
      ends.filter((end) => end !== "200 web-1").length,
    );
    expect(asked).toEqual(expect.arrayContaining(["GET", "POST"]));
  });

  it("keeps a client with its server, and speaks IPv6 and TCP", async () => {
    const six = createServer((_, response) => void response.end("six"));
    await new Promise<void>((resolve) => six.listen(0, "::1", resolve));
    const at = (six.address() as AddressInfo).port;
    backends.push({ name: "six", port: at, server: six, end: async () => {} });
    const tcp = await freePort();
    const register6 = (id: string, name: string, meta: Record<string, string>) =>
      catalog.register({ id, name, address: "0:0:0:0:0:0:0:1", port: at, tags: ["lb"], meta, checks: [] });
    await register6("six", "web", { lb_host: "web.example.org", lb_sticky: "true" });
    await register6("raw", "raw", { lb_mode: "tcp", lb_port: String(tcp) });
    start();
    await answers("web.example.org", "200 six");
    expect(await ask(tcp, "any", "/", false)).toBe("200 six");
    const worker = await lb.worker();
    const one = await backend("web-2");
    backends.push(one);
    await register(one, "web", { lb_sticky: "true" });
    await eventually("both", async () =>
      (await voices("web.example.org")).join() === "200 six,200 web-2" ? true : undefined,
    );
    for (const wanted of ["200 six", "200 web-2"]) {
      const cookie = await eventually(`a cookie of ${wanted}`, () =>
        cookieOf(port, "web.example.org", wanted),
      );
      const heard = await Promise.all(
        Array.from({ length: 12 }, () => ask(port, "web.example.org", "/", false, "GET", cookie)),
      );
      expect(new Set(heard)).toEqual(new Set([wanted]));
    }
    expect(await lb.worker()).toBe(worker);
    expect(sink.of("router.failed")).toEqual([]);
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
    const reloads = () => sink.of("router.changed").filter(({ reloaded }) => reloaded).length;
    // Traffic may be there a moment before it is told.
    await eventually("two reloads are told", async () => (reloads() >= 2 ? true : undefined));
    expect(reloads()).toBe(2);
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
    expect(sink.of("router.left-out").map(({ message }) => message)).toEqual([
      "busy: the load balancer does not come to work with it",
    ]);
    // The others go on.
    await serve("web-2");
    await serve("late-1", "late");
    await answers("late.example.org", "200 late-1");
    await eventually("two voices", async () =>
      (await voices("web.example.org")).length === 2 ? true : undefined,
    );
    expect(sink.of("router.rolled-back")).toHaveLength(1);
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
      await eventually("some requests with the new one", async () =>
        load.heard.has(`b-${at + 1}`) ? true : undefined,
      );
      await catalog.deregister(old.name);
      await eventually("it gets nobody new", async () =>
        !(await voices("web.example.org")).includes(`200 ${old.name}`) ? true : undefined,
      );
      await old.end();
    }
    expect(await load.stop()).toEqual([]);
    expect([...load.heard].filter((name) => name.startsWith("b-")).sort()).toEqual(["b-1", "b-2", "b-3"]);
  }, 60_000);
});

describeWithServer("the router with a real nginx", { nginx: existsSync(NGINX) }, () => {
  it("leads hosts and paths to their services, and is reloaded for every change", async () => {
    const [folder, port] = await Promise.all([mkdtemp(join(tmpdir(), "router-nginx-")), freePort()]);
    const file = join(folder, "nginx.conf");
    const here = ["-g", `pid ${folder}/pid; error_log ${folder}/error.log;`];
    await writeFile(file, `events {}\nhttp { server { listen ${port}; } }\n`);
    const nginx = spawn(NGINX, ["-c", file, "-g", `daemon off; ${here[1]}`], { stdio: "ignore" });
    const ended = once(nginx, "exit");
    const sink = recordingSink();
    const catalog = memoryCatalog();
    const services = await Promise.all(["web-1", "web-2", "api-1", "wild-1"].map((name) => backend(name)));
    const register = (id: string, meta: Record<string, string>) => {
      const at = services.find(({ name }) => name === id)?.port ?? 0;
      const name = id.slice(0, -2);
      return catalog.register({ id, name, address: "127.0.0.1", port: at, tags: ["lb"], meta, checks: [] });
    };
    const stopping = new AbortController();
    await eventually("nginx", async () => (existsSync(join(folder, "pid")) ? true : undefined));
    await register("web-1", { lb_host: "web.example.org" });
    await register("api-1", { lb_host: "web.example.org", lb_path: "/api" });
    await register("wild-1", { lb_host: "*.example.org" });
    const running = router({
      catalog,
      balancer: commands({
        check: [NGINX, "-t", "-c", "{file}", ...here],
        reload: [NGINX, "-c", file, ...here, "-s", "reload"],
      }),
      file,
      template: builtInTemplate("nginx"),
      settings: { http_port: port, access_log: "off" },
      tag: "lb",
      services: [],
      events: sink,
      clock: systemClock,
      random: Math.random,
      timing: { quietMs: 20, patienceMs: 200, reloadMs: 100 },
    }).run(stopping.signal);
    try {
      const leads = (host: string, path: string, wanted: string) =>
        eventually(`${wanted} from ${host}${path}`, async () =>
          (await ask(port, host, path, false).catch(() => "")).startsWith(wanted) ? true : undefined,
        );
      await leads("web.example.org", "/", "200 web-1");
      await leads("web.example.org", "/api", "200 api-1");
      await leads("web.example.org", "/api/x", "200 api-1");
      await leads("web.example.org", "/apix", "200 web-1");
      await leads("b.example.org", "/api", "200 wild-1");
      await leads("else.org", "/", "404");
      await register("web-2", { lb_host: "web.example.org" });
      await leads("web.example.org", "/", "200 web-2");
      expect(sink.of("router.failed")).toEqual([]);
    } finally {
      stopping.abort();
      nginx.kill("SIGTERM");
      await Promise.all([running, ended]);
      for (const { server } of services) {
        server.closeAllConnections();
        server.close();
      }
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** 32 clients that ask again and again on connections they keep; everything but a whole 200 is a failure. */
function pressure(port: number, host: string) {
  const stopping = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const failures: string[] = [];
  const heard = new Set<string>();
  const client = async () => {
    while (!stopping.signal.aborted) {
      try {
        const answer = await ask(port, host, "/", agent);
        if (answer.startsWith("200 ")) heard.add(answer.slice(4));
        else failures.push(answer);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const clients = Array.from({ length: 32 }, client);
  return {
    heard,
    async stop() {
      stopping.abort();
      await Promise.all(clients);
      agent.destroy();
      return failures;
    },
  };
}

/** `200 what it said`. Rejects where the connection breaks, or the body is shorter than it should be. */
function ask(
  port: number,
  host: string,
  path: string,
  agent: Agent | false,
  method = "GET",
  cookie = "",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host, ...(cookie ? { cookie } : {}) };
    const call = request({ host: "127.0.0.1", port, path, agent, method, headers }, (answer) => {
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

/** The cookie that binds a client to the server that gives the wanted answer; undefined: another one answered. */
function cookieOf(port: number, host: string, wanted: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, agent: false, headers: { host } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("error", reject);
      const [cookie] = answer.headers["set-cookie"]?.[0]?.split(";") ?? [];
      answer.on("end", () => resolve(`${answer.statusCode} ${text}` === wanted ? cookie : undefined));
    });
    call.on("error", reject);
    call.end();
  });
}
