import { afterEach, describe, expect, it } from "vitest";
import { manualClock } from "../testing/manual-clock.ts";
import { AGAIN, OK, type Outcome, stalled, wait } from "./outcome.ts";
import { INTERRUPTED, type ReconcileLoopOptions, reconcileLoop } from "./reconcile-loop.ts";

type Settled = Parameters<NonNullable<ReconcileLoopOptions["settled"]>>[0];

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A loop at work: each pass waits to be told how it ends. */
function start(options: Partial<ReconcileLoopOptions> = {}) {
  const clock = manualClock(0);
  const passes: { at: number; signal: AbortSignal; end: (result: Outcome | Error) => void }[] = [];
  const settled: Settled[] = [];
  const loop = reconcileLoop({
    pass(signal) {
      return new Promise((resolve, reject) => {
        const end = (result: Outcome | Error) => (result instanceof Error ? reject(result) : resolve(result));
        passes.push({ at: clock.now(), signal, end });
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
    settled: (result) => void settled.push(result),
    intervalMs: 60_000,
    backoff: { firstMs: 1000, mostMs: 8000 },
    clock,
    random: () => 0.5,
    ...options,
  });
  const controller = new AbortController();
  let ended = false;
  const run = loop.run(controller.signal).then(() => {
    ended = true;
  });
  async function stop() {
    controller.abort(new Error("stopped"));
    await run;
  }
  stops.push(stop);
  /** Ends the running pass and lets the loop go on until it sleeps or passes again. */
  async function end(result: Outcome | Error) {
    passes.at(-1)?.end(result);
    await clock.advance(0);
  }
  const times = () => passes.map((pass) => pass.at);
  return { clock, passes, settled, loop, end, times, stop, ended: () => ended };
}

describe("when nothing happens", () => {
  it("passes at once, then once an interval", async () => {
    const { clock, times, end } = start();
    expect(times()).toEqual([0]);
    await end(OK);
    await clock.advance(59_999);
    expect(times()).toEqual([0]);
    await clock.advance(1);
    expect(times()).toEqual([0, 60_000]);
    await end(stalled("Refused", "no"));
    await clock.advance(60_000);
    expect(times()).toEqual([0, 60_000, 120_000]);
  });

  it.each([
    [0, 54_000],
    [0.25, 57_000],
    [1 - 2 ** -40, 66_000],
  ])("jitters the interval by a tenth either way (%f)", async (drawn, ms) => {
    const { clock, times, end } = start({ random: () => drawn });
    await end(OK);
    await clock.advance(ms - 1);
    expect(times()).toHaveLength(1);
    await clock.advance(2);
    expect(times()).toHaveLength(2);
  });

  it("passes again after the time a pass asked for", async () => {
    const { clock, times, end } = start();
    await end(wait("Locked", "busy", 5000));
    await clock.advance(4999);
    expect(times()).toEqual([0]);
    await clock.advance(1);
    expect(times()).toEqual([0, 5000]);
  });

  it("passes again at once where a pass asks for it", async () => {
    const { times, end } = start();
    await end(AGAIN);
    expect(times()).toEqual([0, 0]);
  });
});

describe("wake", () => {
  it("ends the sleep, and many calls are one pass", async () => {
    const { clock, times, end, loop } = start();
    await end(OK);
    await clock.advance(10);
    loop.wake();
    loop.wake();
    loop.wake();
    await clock.advance(0);
    expect(times()).toEqual([0, 10]);
    await end(OK);
    await clock.advance(59_999);
    expect(times()).toEqual([0, 10]);
    await clock.advance(1);
    expect(times()).toEqual([0, 10, 60_010]);
  });

  it("during a pass is kept for one more, and does not disturb the one that runs", async () => {
    const { times, end, loop, passes, clock } = start();
    loop.wake();
    loop.wake();
    await clock.advance(5);
    expect([times(), passes[0]?.signal.aborted]).toEqual([[0], false]);
    await end(OK);
    expect(times()).toEqual([0, 5]);
    await end(OK);
    expect([times(), clock.sleepers()]).toEqual([[0, 5], 1]);
  });

  it("before the loop runs is the first pass, not a second", async () => {
    const clock = manualClock(0);
    let passes = 0;
    const loop = reconcileLoop({
      pass: async () => {
        passes += 1;
        return OK;
      },
      intervalMs: 1000,
      backoff: { firstMs: 1, mostMs: 1 },
      clock,
      random: () => 0.5,
    });
    loop.wake();
    const controller = new AbortController();
    const run = loop.run(controller.signal);
    await clock.advance(0);
    expect([passes, clock.sleepers()]).toEqual([1, 1]);
    controller.abort();
    await run;
  });
});

describe("interrupt", () => {
  it("ends the running pass with its own reason, settles nothing, and passes again at once", async () => {
    const { clock, passes, loop, settled, times } = start();
    loop.interrupt();
    await clock.advance(0);
    expect(passes[0]?.signal.reason).toBe(INTERRUPTED);
    expect([times(), settled, passes[1]?.signal.aborted]).toEqual([[0, 0], [], false]);
  });

  it("between passes is a wake", async () => {
    const { clock, loop, end, times, passes } = start();
    await end(OK);
    loop.interrupt();
    await clock.advance(0);
    expect([times(), passes[1]?.signal.aborted]).toEqual([[0, 0], false]);
  });

  it("does not make the loop forget how often it failed", async () => {
    const { clock, loop, end, settled } = start();
    await end(new Error("one"));
    await clock.advance(750);
    loop.interrupt();
    await clock.advance(0);
    await end(new Error("two"));
    expect(settled.map((one) => one.kind === "failed" && one.failures)).toEqual([1, 2]);
  });
});

describe("a pass that fails", () => {
  it("is tried again after a time that doubles up to the most, and from the start after a success", async () => {
    const { clock, times, end, settled } = start();
    const error = new Error("unreachable");
    for (const ms of [750, 1500, 3000, 6000, 6000]) {
      await end(error);
      const before = times().length;
      await clock.advance(ms - 1);
      expect(times()).toHaveLength(before);
      await clock.advance(1);
      expect(times()).toHaveLength(before + 1);
    }
    expect(settled).toEqual([1, 2, 3, 4, 5].map((failures) => ({ kind: "failed", error, failures })));
    await end(OK);
    await clock.advance(60_000);
    await end(error);
    expect(settled.slice(5)).toEqual([OK, { kind: "failed", error, failures: 1 }]);
  });

  it("may fail without ever waiting for anything", async () => {
    const { clock, settled } = start({
      pass() {
        throw new Error("at once");
      },
    });
    await clock.advance(0);
    expect(settled).toMatchObject([{ kind: "failed", failures: 1 }]);
  });
});

describe("the end", () => {
  it("comes when the signal aborts during a pass, which hears of it and is not settled", async () => {
    const { passes, settled, stop, ended, times } = start();
    expect(ended()).toBe(false);
    await stop();
    expect(passes[0]?.signal.reason).toEqual(new Error("stopped"));
    expect([settled, times()]).toEqual([[], [0]]);
  });

  it("comes when the signal aborts during a sleep", async () => {
    const { end, stop, clock, times } = start();
    await end(OK);
    expect(clock.sleepers()).toBe(1);
    await stop();
    expect([clock.sleepers(), times()]).toEqual([0, [0]]);
  });

  it("comes at once where the signal aborted before", async () => {
    let passes = 0;
    const loop = reconcileLoop({
      pass: async () => {
        passes += 1;
        return OK;
      },
      intervalMs: 1,
      backoff: { firstMs: 1, mostMs: 1 },
      clock: manualClock(),
      random: () => 0,
    });
    await loop.run(AbortSignal.abort());
    expect(passes).toBe(0);
  });
});
