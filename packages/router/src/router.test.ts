import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualClock, memoryCatalog, recordingSink } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { router } from "./router.ts";
import { FAKE_TEMPLATE, fakeBalancer } from "./testing/fake-balancer.ts";

describe("the router", () => {
  let folder: string;
  let stop = async () => {};
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "router-"));
  });
  afterEach(async () => {
    await stop();
    await rm(folder, { recursive: true });
  });

  async function start() {
    const [clock, catalog, sink, { balancer }] = [
      manualClock(1_000_000),
      memoryCatalog(),
      recordingSink(),
      fakeBalancer(),
    ];
    balancer.start();
    const looks: number[] = [];
    const stopping = new AbortController();
    const running = router({
      catalog,
      // What this balancer is told by its reload does not matter here.
      balancer: {
        ...balancer,
        reload: async () => void balancer.log.push("reload"),
        applyServers: async () => 0,
      },
      file: join(folder, "lb.cfg"),
      template: FAKE_TEMPLATE,
      settings: {},
      tag: "lb",
      services: [],
      events: sink,
      clock,
      random: () => 0.5,
      looked: () => void looks.push(clock.now() - 1_000_000),
    }).run(stopping.signal);
    stop = async () => {
      stopping.abort();
      await running;
    };
    const register = (id: string) => {
      const meta = { lb_host: `${id}.example.org` };
      return catalog.register({
        id,
        name: id,
        address: "10.0.0.1",
        port: 80,
        tags: ["lb"],
        meta,
        checks: [],
      });
    };
    await clock.advance(0);
    return { clock, looks, register };
  }

  /** Lets time go on in little steps, and what is read and written come to its end in between. */
  async function goOn(clock: { advance(ms: number): Promise<void> }, ms: number) {
    for (let gone = 0; gone < ms; gone += 10) {
      await clock.advance(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it("waits until the catalog is quiet", async () => {
    const { clock, looks, register } = await start();
    await register("a");
    await goOn(clock, 90);
    await register("b");
    await expect
      .poll(async () => {
        await goOn(clock, 10);
        return looks.length;
      })
      .toBeGreaterThan(0);
    expect(looks[0]).toBeGreaterThanOrEqual(190);
  });

  it("does not wait for quiet for ever", async () => {
    const { clock, looks, register } = await start();
    for (let at = 0; at < 100 && looks.length === 0; at++) {
      await register(`s${at}`);
      await goOn(clock, 90);
    }
    expect(looks[0]).toBeGreaterThanOrEqual(2_000);
  });
});
