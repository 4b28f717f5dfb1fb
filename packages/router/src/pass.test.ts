import { EVERY_ENVIRONMENT, emitterFor, type ServiceInstance } from "@sluice/core";
import { manualClock, recordingSink } from "@sluice/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { routerMemory } from "./decide.ts";
import { TIMING, type Timing } from "./options.ts";
import { firstState, lookAt, type Work } from "./pass.ts";
import { renderer } from "./render.ts";
import { FAKE_TEMPLATE, fakeBalancer } from "./testing/fake-balancer.ts";

const signal = new AbortController().signal;
const instance = (service: string, number: number, more: Partial<ServiceInstance> = {}): ServiceInstance => ({
  node: "n",
  id: `${service}-${number}`,
  name: service,
  address: `10.0.${service.charCodeAt(0)}.${number}`,
  port: 80,
  tags: ["lb"],
  meta: { lb_host: `${service}.example.org` },
  status: "passing",
  weight: 1,
  ...more,
});
const place = (service: string, number: number) => `10.0.${service.charCodeAt(0)}.${number}:80`;

function trial(timing: Timing = TIMING) {
  const beside = fakeBalancer();
  const { balancer, file } = beside;
  const clock = manualClock(1_000_000);
  const sink = recordingSink();
  const unread = new Set<string>();
  const services = new Map<string, readonly ServiceInstance[]>();
  const begin = (): Work => ({
    balancer,
    file,
    renderer: renderer(FAKE_TEMPLATE, {}),
    memory: routerMemory(),
    mostRemoved: 0.5,
    timing,
    snapshot: {
      services: () => services,
      unread: () => unread,
      moved: { first: 0, last: 0 },
      settle: () => undefined,
      failing: () => false,
      follow: async () => undefined,
    },
    clock,
    emit: emitterFor(EVERY_ENVIRONMENT, sink, clock),
    looked: undefined,
    reserved: new Set(),
    state: firstState(),
  });
  let work = begin();
  const look = () => lookAt(services, work, signal);
  /** Looks again and again for as long as something is to be done, as the loop would. */
  async function settle(ms: number) {
    for (const until = clock.now() + ms; clock.now() < until; ) {
      const outcome = await look().catch(() => undefined);
      const pause = outcome?.kind === "wait" ? outcome.retryInMs : 4_000;
      await clock.advance(Math.min(Math.max(pause, 50), Math.max(until - clock.now(), 1)));
    }
  }
  return {
    balancer,
    beside,
    clock,
    sink,
    services,
    unread,
    look,
    settle,
    restart() {
      work = begin();
    },
  };
}

describe("a look", () => {
  it("lets servers follow while a reload has to wait its turn", async () => {
    const { balancer, services, look, clock, settle } = trial();
    balancer.start();
    for (const name of ["a", "b"]) {
      services.set(name, [instance(name, 1)]);
      await look();
    }
    services.set("c", [instance("c", 1)]);
    services.set("a", [instance("a", 1), instance("a", 2)]);
    expect(await look()).toMatchObject({ kind: "wait", reason: "Pending" });
    expect(balancer.ready()).toEqual({ a: [place("a", 1), place("a", 2)], b: [place("b", 1)] });
    await clock.advance(2 * TIMING.reloadMs);
    await settle(1_000);
    expect(Object.keys(balancer.ready())).toEqual(["a", "b", "c"]);
    expect(balancer.log.filter((line) => line === "reload")).toHaveLength(3);
  });

  it("goes on with the old route where a service's words turn into nonsense", async () => {
    const { balancer, services, look, sink } = trial();
    balancer.start();
    services.set("a", [instance("a", 1)]);
    await look();
    const bad = { meta: { lb_host: "no host" } };
    services.set("a", [instance("a", 1, bad), instance("a", 2, bad)]);
    await look();
    expect(balancer.ready()).toEqual({ a: [place("a", 1), place("a", 2)] });
    expect(sink.of("router.left-out")).toHaveLength(1);
  });

  it("goes on with the old route where the balancer refuses the new one, and takes the next", async () => {
    const { balancer, services, settle } = trial();
    balancer.start();
    services.set("a", [instance("a", 1)]);
    await settle(10_000);
    balancer.refuses = /bad\.example\.org/;
    services.set("a", [instance("a", 1, { meta: { lb_host: "bad.example.org" } }), instance("a", 2)]);
    services.set("b", [instance("b", 1)]);
    await settle(30_000);
    expect(balancer.ready()).toEqual({ a: [place("a", 1), place("a", 2)], b: [place("b", 1)] });
  });

  it("does not try a file again and again that does not come to work", async () => {
    const { balancer, services, settle, sink } = trial();
    balancer.start();
    services.set("a", [instance("a", 1)]);
    await settle(10_000);
    balancer.crashes = /backend x/;
    for (const name of ["b", "c", "x", "y"]) services.set(name, [instance(name, 1)]);
    await settle(60_000);
    expect(Object.keys(balancer.ready())).toEqual(["a", "b", "c", "y"]);
    const failures = sink.of("router.rolled-back").length;
    await settle(200_000);
    expect([failures, sink.of("router.rolled-back").length]).toEqual([3, 3]);
    balancer.crashes = undefined;
    await settle(300_000);
    expect(Object.keys(balancer.ready())).toEqual(["a", "b", "c", "x", "y"]);
  });

  it("writes the file of a balancer that does not run, and goes on once it does", async () => {
    const { balancer, beside, services, look } = trial();
    services.set("a", [instance("a", 1)]);
    await expect(look()).rejects.toThrow(/does not run/);
    expect(await beside.file.read()).toContain("backend a");
    balancer.start();
    expect(await look()).toBeUndefined();
    expect([balancer.ready(), balancer.log]).toEqual([{ a: [place("a", 1)] }, []]);
  });

  it("begins where the balancer is: slots, those that drain, and one that nobody names", async () => {
    const { balancer, services, settle, restart, look } = trial();
    balancer.start();
    services.set(
      "a",
      [1, 2, 3].map((number) => instance("a", number)),
    );
    await settle(5_000);
    services.set(
      "a",
      [2, 3, 4].map((number) => instance("a", number)),
    );
    await look();
    restart();
    services.set("a", [instance("a", 3), instance("a", 4)]);
    const log = balancer.log.length;
    await look();
    expect(balancer.ready()).toEqual({ a: [place("a", 3), place("a", 4)] });
    await settle(60_000);
    expect(balancer.log.slice(log).filter((line) => line.startsWith("reload"))).toEqual([]);
  });

  it.each(["no instance", "no name", "nothing read"])(
    "does not take over from a balancer that serves what it knows nothing of: %s",
    async (how) => {
      const { balancer, services, unread, settle, restart } = trial();
      balancer.start();
      services.set("a", [instance("a", 1)]);
      services.set("b", [instance("b", 1)]);
      await settle(5_000);
      restart();
      if (how === "no instance") services.set("a", []);
      else services.delete("a");
      if (how === "nothing read") unread.add("a");
      await settle(29_000);
      expect(Object.keys(balancer.ready())).toEqual(["a", "b"]);
      await settle(10_000);
      expect(Object.keys(balancer.ready())).toEqual(how === "nothing read" ? ["a", "b"] : ["b"]);
    },
  );

  it("does not busy itself with what drained in a backend that is gone", async () => {
    const { balancer, services, settle, look } = trial();
    balancer.start();
    services.set("a", [instance("a", 1), instance("a", 2)]);
    services.set("b", [instance("b", 1)]);
    await settle(5_000);
    services.set("a", [instance("a", 1)]);
    await look();
    services.set("a", [instance("a", 1, { status: "maintenance" })]);
    await look();
    services.set("a", []);
    await look();
    expect(Object.keys(balancer.ready())).toEqual(["b"]);
    expect(await look()).toBeUndefined();
  });
});

type Step =
  | {
      readonly kind: "say";
      readonly service: string;
      readonly numbers: readonly number[];
      readonly ill: boolean;
    }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "fail"; readonly share: number }
  | { readonly kind: "restart" };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("say" as const),
      service: fc.constantFrom("a", "b", "c"),
      numbers: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 9 }),
      ill: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 8_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("fail" as const), share: fc.constantFrom(0, 0.1, 0.5) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
);

/** The same in little, so that many of them can be tried. */
const QUICK = { ...TIMING, holdMs: 6_000, holdEmptyMs: 10_000, drainMs: 3_000 };

it("never takes a healthy server away that the catalog names, and ends as the catalog says", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { maxLength: 25 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1 })),
      async (steps, chance) => {
        const { balancer, services, settle, look, restart } = trial(QUICK);
        balancer.start();
        const named = () =>
          [...services].flatMap(([name, all]) =>
            all.filter(({ status }) => status === "passing").map((one) => `${name} ${one.address}:80`),
          );
        const serving = () =>
          Object.entries(balancer.ready()).flatMap(([name, all]) => all.map((at) => `${name} ${at}`));
        for (const step of steps) {
          const before = new Set(serving());
          const wanted = new Set(named());
          if (step.kind === "say")
            services.set(
              step.service,
              step.numbers.map((number, at) =>
                instance(step.service, number, { status: step.ill && at % 2 ? "critical" : "passing" }),
              ),
            );
          else if (step.kind === "fail") {
            const numbers = chance[Symbol.iterator]();
            balancer.fault = () => (numbers.next().value ?? 1) < step.share;
          } else if (step.kind === "restart") restart();
          else await settle(step.ms);
          await look().catch(() => undefined);
          const after = new Set(serving());
          const lost = named().filter((one) => wanted.has(one) && before.has(one) && !after.has(one));
          expect(lost).toEqual([]);
        }
        balancer.fault = () => false;
        await settle(QUICK.holdEmptyMs * 4);
        expect(serving().sort()).toEqual(named().sort());
      },
    ),
    { numRuns: 60 },
  );
});
