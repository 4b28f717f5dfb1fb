import { manualClock } from "@sluice/core/testing";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { consulKv } from "./consul-kv.ts";
import { radixServer } from "./testing/radix-server.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Watches a key that does not exist yet. */
async function watchingAbsent() {
  const clock = manualClock();
  const server = await radixServer();
  const kv = consulKv({ address: server.address, clock, random: () => 0.5 });
  const stop = new AbortController();
  const told: (string | undefined)[] = [];
  const ended = (async () => {
    for await (const entry of kv.watch("a", { signal: stop.signal }))
      told.push(entry && Buffer.from(entry.value).toString());
  })();
  async function end() {
    stop.abort();
    await ended;
    await kv.close();
    await server.stop();
  }
  const held = () => vi.waitFor(() => expect(server.held()).toBe(1), { interval: 1 });
  const asleep = () => vi.waitFor(() => expect(clock.sleepers()).toBe(1), { interval: 1 });
  await held();
  return { clock, server, told, held, asleep, end };
}

async function watched() {
  const watch = await watchingAbsent();
  cleanups.push(watch.end);
  return watch;
}

/** With `random` in its middle. */
const PAUSES = [7.5, 15, 30, 60, 120, 240, 375, 375];

/** Writes near the key as often as there are pauses, and sees that each takes as long as it should. */
async function pauses(
  { clock, server, held, asleep }: Awaited<ReturnType<typeof watchingAbsent>>,
  expected: readonly number[],
) {
  for (const pause of expected) {
    server.writeNear();
    await asleep();
    await clock.advance(pause - 0.5);
    expect(clock.sleepers()).toBe(1);
    await clock.advance(0.5);
    await held();
  }
}

it("an absent key is asked for less and less often while writes near it are all there is", async () => {
  const watch = await watched();
  await pauses(watch, PAUSES);
  expect(watch.told).toEqual([undefined]);
  expect(watch.server.seen.length).toBe(2 + PAUSES.length);
});

it("what changes while the question is held open is told at once, and the next question waits for nothing", async () => {
  const watch = await watched();
  await pauses(watch, PAUSES);
  for (const text of ["1", "2", undefined]) {
    watch.server.write(text);
    await vi.waitFor(() => expect(watch.told.at(-1)).toBe(text));
    await watch.held();
  }
  expect(watch.told).toEqual([undefined, "1", "2", undefined]);
  await pauses(watch, PAUSES);
});

it("an answer that took its time is followed by a question at once", async () => {
  const watch = await watched();
  await pauses(watch, PAUSES.slice(0, 3));
  await watch.clock.advance(1_000);
  watch.server.writeNear();
  await vi.waitFor(() => expect(watch.server.seen.length).toBe(6));
  await watch.held();
  expect(watch.clock.sleepers()).toBe(0);
  await pauses(watch, PAUSES.slice(0, 3));
});

it("a pause ends when the watch does", async () => {
  const watch = await watchingAbsent();
  watch.server.writeNear();
  await watch.asleep();
  await watch.end();
  expect(watch.clock.sleepers()).toBe(0);
});

type Step = { write: string | undefined } | "near" | "settle" | { advance: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ write: fc.constantFrom("x", "y", undefined) }),
  fc.constant("near" as const),
  fc.constant("settle" as const),
  fc.record({ advance: fc.integer({ min: 1, max: 1_200 }) }),
);

async function tellsTheLast(steps: readonly Step[]) {
  const { clock, server, told, end } = await watchingAbsent();
  const history: (string | undefined)[] = [undefined];
  const settled = () => expect(server.held() + clock.sleepers()).toBe(1);
  try {
    for (const one of steps) {
      const quiet = server.held() === 1;
      if (one === "near") server.writeNear();
      else if (one === "settle") await vi.waitFor(settled, { interval: 1 });
      else if ("advance" in one) await clock.advance(one.advance);
      else {
        server.write(one.write);
        history.push(one.write);
        if (quiet) await vi.waitFor(() => expect(told.at(-1)).toBe(one.write), { interval: 1 });
      }
    }
    while (server.held() === 0) await clock.advance(100);
    expect(told.at(-1)).toBe(server.text());
    let at = 0;
    for (const text of told) at = 1 + expectFound(history.indexOf(text, at));
  } finally {
    await end();
  }
}

function expectFound(at: number): number {
  expect(at).toBeGreaterThanOrEqual(0);
  return at;
}

it("however writes, neighbours and pauses follow each other, the last state is told, and each at its turn", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), tellsTheLast), { numRuns: 40 });
}, 60_000);
