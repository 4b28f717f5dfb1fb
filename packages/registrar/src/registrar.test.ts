import { SluiceError } from "@sluice/core";
import { manualClock, memoryCatalog, recordingSink } from "@sluice/core/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Container, ContainerEngine, EngineHint } from "./container.ts";
import { registrar } from "./registrar.ts";
import { containerWith } from "./testing/container.ts";

const OWNER = "sluice:host-1";

/** An engine whose containers a test moves. */
function memoryEngine() {
  const containers = new Map<string, Container>();
  const engine = {
    containers,
    inspected: [] as string[],
    tell: (_hint: EngineHint) => {},
    failing: undefined as ((what: string) => boolean) | undefined,
    run(name: string, more: Partial<Container> = {}) {
      const id = more.id ?? Buffer.from(name.padEnd(32, "-")).toString("hex").slice(0, 64);
      const bindings = [{ hostIp: "0.0.0.0", hostPort: 8080 }];
      containers.set(
        id,
        containerWith({ name, ports: [{ port: 80, protocol: "tcp", bindings }], ...more, id }),
      );
      return id;
    },
  };
  const fail = (what: string) => {
    if (engine.failing?.(what)) throw new SluiceError("ENGINE_UNREACHABLE", `told to fail ${what}`);
  };
  const port: ContainerEngine = {
    async list() {
      fail("list");
      return [...containers.values()].map((one) => ({
        id: one.id,
        mark: JSON.stringify([one.name, one.health, one.ports, [...one.labels]]),
      }));
    },
    async inspect(id) {
      fail(id);
      engine.inspected.push(id);
      return containers.get(id);
    },
    async *watch(signal) {
      while (!signal.aborted) {
        const next = await new Promise<EngineHint | undefined>((resolve) => {
          engine.tell = resolve;
          signal.addEventListener("abort", () => resolve(undefined));
        });
        if (next) yield next;
      }
    },
  };
  return { ...engine, port, control: engine };
}

describe("the registrar", () => {
  const clock = manualClock();
  let engine = memoryEngine();
  let catalog = memoryCatalog();
  let sink = recordingSink();
  let stop: () => Promise<void> = async () => undefined;

  beforeEach(() => {
    engine = memoryEngine();
    catalog = memoryCatalog();
    sink = recordingSink();
  });
  afterEach(() => stop());

  function start(more: { deregisterOnStop?: boolean } = {}) {
    const controller = new AbortController();
    const running = registrar({
      node: "host-1",
      owner: OWNER,
      address: "10.0.0.5",
      internal: false,
      explicit: false,
      tags: [],
      engine: engine.port,
      catalog,
      events: sink,
      clock,
      random: () => 0.5,
      ...more,
    }).run(controller.signal);
    stop = async () => {
      controller.abort();
      await running;
    };
  }
  const ids = () => [...catalog.services.keys()].sort();
  async function tick() {
    await clock.advance(60_000);
  }
  const until = (check: () => boolean) => {
    const goOn = async () => {
      await tick();
      return check();
    };
    return expect.poll(goOn, { timeout: 5_000, interval: 1 }).toBe(true);
  };

  it("registers what runs and deregisters what does not, and nothing else", async () => {
    const stranger = { id: "x", name: "x", address: "1.1.1.1", port: 1, tags: [], meta: {}, checks: [] };
    await catalog.register(stranger);
    engine.run("a");
    const b = engine.run("b");
    start();
    await until(() => ids().length === 3);
    engine.containers.delete(b);
    await until(() => ids().length === 2);
    expect(ids()).toEqual(["host-1:a:80", "x"]);
  });

  it("tells how many it registered and deregistered", async () => {
    const all = ["a", "b", "c"].map((name) => engine.run(name));
    start();
    await until(() => ids().length === 3);
    for (const id of all) engine.containers.delete(id);
    await until(() => ids().length === 0);
    const told = () =>
      sink.of("registrar.changed").map(({ registered, deregistered }) => [registered, deregistered]);
    await until(() => told().length === 2);
    expect(told()).toEqual([
      [3, 0],
      [0, 3],
    ]);
  });

  it("writes nothing for what is unchanged, and looks closer at nothing", async () => {
    for (let n = 0; n < 50; n++) engine.run(`c${n}`);
    start();
    await until(() => ids().length === 50);
    const [writes, looks] = [catalog.writes.length, engine.inspected.length];
    for (let n = 0; n < 5; n++) await tick();
    expect([catalog.writes.length, engine.inspected.length]).toEqual([writes, looks]);
  });

  it("registers again what somebody changed by hand or deregistered", async () => {
    engine.run("a");
    start();
    await until(() => ids().length === 1);
    const service = catalog.services.get("host-1:a:80");
    if (!service) throw new Error("not registered");
    await catalog.register({ ...service, port: 1 });
    await until(() => catalog.services.get("host-1:a:80")?.port === 8080);
    await catalog.deregister("host-1:a:80");
    await until(() => ids().length === 1);
  });

  it("finds after a start of its own what it missed, in both directions", async () => {
    const a = engine.run("a");
    start();
    await until(() => ids().length === 1);
    await stop();
    engine.containers.delete(a);
    engine.run("b");
    start();
    await until(() => ids().join() === "host-1:b:80");
  });

  it("deregisters nothing while the engine does not answer", async () => {
    engine.run("a");
    start();
    await until(() => ids().length === 1);
    engine.containers.clear();
    engine.control.failing = () => true;
    for (let n = 0; n < 5; n++) await tick();
    expect(ids()).toEqual(["host-1:a:80"]);
    expect(sink.of("registrar.failed")).toHaveLength(1);
    engine.control.failing = undefined;
    await until(() => ids().length === 0);
    expect(sink.of("registrar.recovered")).toHaveLength(1);
  });

  it("leaves a container's services as they are while it cannot be looked at, and goes on with others", async () => {
    const a = engine.run("a");
    start();
    await until(() => ids().length === 1);
    engine.run("a", { id: a, health: "unhealthy" });
    engine.control.failing = (what) => what === a;
    engine.run("b");
    await until(() => ids().length === 2);
    expect(ids()).toEqual(["host-1:a:80", "host-1:b:80"]);
  });

  it("tells Docker's HEALTHCHECK as it changes, and again before the catalog would lose it", async () => {
    const a = engine.run("a", { health: "starting" });
    start();
    const check = async () => (await catalog.owned(OWNER))[0]?.checks.get("service:host-1:a:80:docker");
    await until(() => ids().length === 1);
    expect(await check()).toEqual({ status: "critical", output: "starting" });
    engine.run("a", { id: a, health: "healthy" });
    await until(() => catalog.writes.at(-1)?.endsWith("passing") === true);
    expect(await check()).toEqual({ status: "passing", output: "healthy" });
    const registrations = catalog.writes.filter((one) => one.startsWith("register")).length;
    const writes = catalog.writes.length;
    await clock.advance(60 * 60_000);
    await until(() => catalog.writes.length > writes);
    expect(catalog.writes.filter((one) => one.startsWith("register"))).toHaveLength(registrations);
  });

  it("keeps a service of an id that two containers claim with the older, and says so once", async () => {
    const labels = new Map([["SERVICE_ID", "same"]]);
    engine.run("b", { id: "b".repeat(64), labels });
    engine.run("a", { id: "a".repeat(64), labels });
    start();
    await until(() => ids().length === 1);
    for (let n = 0; n < 3; n++) await tick();
    expect(catalog.services.get("same")?.meta["container-id"]).toBe("a".repeat(12));
    expect(sink.of("registrar.left-out").map(({ message }) => message)).toEqual([
      'b: another container is registered as "same" already',
    ]);
  });

  it("goes on with others where the catalog refuses one", async () => {
    catalog.fault = (call, id) => (call === "register" && id === "host-1:a:80" ? "KV_INVALID" : undefined);
    engine.run("a");
    engine.run("b");
    start();
    await until(() => ids().length === 1);
    expect(ids()).toEqual(["host-1:b:80"]);
    expect(sink.of("registrar.failed")).toHaveLength(1);
  });

  it("sends nobody new to a container that was told to end, unless it goes on all the same", async () => {
    const a = engine.run("a");
    start();
    await until(() => ids().length === 1);
    engine.control.tell({ stopping: a });
    await expect.poll(() => clock.advance(100).then(() => ids().length)).toBe(0);
    await clock.advance(60_000);
    expect(ids()).toEqual([]);
    await until(() => ids().length === 1);
  });

  it.each([
    ["was started again", (id: string) => ({ started: id })],
    ["may have been started again while nobody listened", () => ({ gap: true as const })],
  ])("sends traffic at once to a container that was told to end and %s", async (_what, hint) => {
    const a = engine.run("a");
    start();
    await until(() => ids().length === 1);
    engine.control.tell({ stopping: a });
    await expect.poll(() => clock.advance(100).then(() => ids().length)).toBe(0);
    engine.control.tell(hint(a));
    await expect.poll(() => clock.advance(100).then(() => ids().length)).toBe(1);
  });

  it("takes its own with it when told to", async () => {
    engine.run("a");
    start({ deregisterOnStop: true });
    await until(() => ids().length === 1);
    await stop();
    expect(ids()).toEqual([]);
  });

  it("ends with exactly what runs, whatever failed on the way", async () => {
    const step = fc.record({
      act: fc.constantFrom("run", "stop", "crash"),
      name: fc.constantFrom("a", "b", "c", "d"),
      fault: fc.option(fc.constantFrom("list", "inspect", "owned", "register", "deregister")),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        engine = memoryEngine();
        catalog = memoryCatalog();
        start();
        for (const { act, name, fault } of steps) {
          const id = Buffer.from(name.padEnd(32, "-")).toString("hex").slice(0, 64);
          engine.control.failing = (what) =>
            fault === "list" ? what === "list" : fault === "inspect" && what !== "list";
          catalog.fault = (call) => (call === fault ? "KV_UNREACHABLE" : undefined);
          const named = () => [...engine.containers.values()].map((one) => `host-1:${one.name}:80`);
          const before = named().filter((one) => ids().includes(one));
          if (act === "run") engine.run(name);
          else engine.containers.delete(id);
          await clock.advance(1_000);
          const running = named();
          // What still runs and was registered stays, whatever failed.
          for (const one of before) if (running.includes(one)) expect(ids()).toContain(one);
          if (act !== "crash") continue;
          await stop();
          start();
        }
        engine.control.failing = undefined;
        catalog.fault = undefined;
        for (let n = 0; n < 3; n++) await clock.advance(60_000);
        expect(ids()).toEqual([...engine.containers.values()].map((one) => `host-1:${one.name}:80`).sort());
        await stop();
      }),
      { numRuns: 60 },
    );
  });
});
