import { type KvEntry, messageOf } from "@sluice/core";
import { manualClock } from "@sluice/core/testing";
import { afterEach, expect, it, vi } from "vitest";
import { type ConsulKvOptions, consulKv } from "./consul-kv.ts";
import type { Answer, Fault, Seen } from "./testing/scripted-consul.ts";
import { absentAnswer, keyAnswer, scriptedConsul } from "./testing/scripted-consul.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Watches the key "a" of a server that plays one answer after the other and then leaves the last query open. */
async function watching(
  answers: readonly (Answer | Fault)[],
  options: Partial<ConsulKvOptions> = {},
  order: (request: Seen, number: number) => Answer | Fault = (_, number) => answers[number - 1] ?? "hang",
) {
  const clock = manualClock();
  const server = await scriptedConsul(order);
  const kv = consulKv({ address: server.address, clock, random: () => 0.5, ...options });
  const stop = new AbortController();
  const errors: string[] = [];
  const states: (string | undefined)[] = [];
  const ended = (async () => {
    const onError = (error: unknown) => errors.push(messageOf(error));
    for await (const entry of kv.watch("a", { signal: stop.signal, onError })) states.push(textOf(entry));
  })();
  cleanups.push(
    () => server.stop(),
    () => kv.close(),
    () => {
      stop.abort();
      return ended;
    },
  );
  const asked = (count: number) => vi.waitFor(() => expect(server.seen.length).toBe(count));
  const asleep = () => vi.waitFor(() => expect(clock.sleepers()).toBe(1));
  const unpaused = async (ms: number) => {
    await asleep();
    await clock.advance(ms);
  };
  return { clock, server, stop, ended, errors, states, asked, asleep, unpaused, kv };
}

const textOf = (entry: KvEntry | undefined) => entry && Buffer.from(entry.value).toString();
const indexes = (seen: readonly Seen[]) => seen.map(({ query }) => query.index);

it("waits on the index of the last answer, as text", async () => {
  const big = { headers: { "x-consul-index": "18446744073709551615" } };
  const answers = [keyAnswer("a", "1", 5), { ...keyAnswer("a", "2", 6), ...big }];
  const { server, states, asked } = await watching(answers, { waitMs: 40_000 });
  await asked(3);
  expect(states).toEqual(["1", "2"]);
  expect(server.seen.map(({ query }) => query)).toEqual([
    {},
    { index: "5", wait: "40000ms" },
    { index: "18446744073709551615", wait: "40000ms" },
  ]);
});

it("an answer without a change is not told", async () => {
  const one = keyAnswer("a", "1", 5);
  const further = { ...one, headers: { "x-consul-index": "9" } };
  const { states, asked, unpaused } = await watching([one, one, further]);
  for (const pause of [8, 15]) await unpaused(pause);
  await asked(4);
  expect(states).toEqual(["1"]);
});

it("an index that goes backwards starts over without waiting", async () => {
  const restored = keyAnswer("a", "restored", 40);
  const { server, states, asked, unpaused } = await watching([
    keyAnswer("a", "new", 100),
    restored,
    restored,
  ]);
  await asked(3);
  await unpaused(8);
  await asked(4);
  expect(states).toEqual(["new", "restored"]);
  expect(indexes(server.seen)).toEqual([undefined, "100", undefined, "40"]);
});

it("an index of 0 would not wait, so it is taken for 1", async () => {
  const { server, asked } = await watching([absentAnswer(0)]);
  await asked(2);
  expect(indexes(server.seen)).toEqual([undefined, "1"]);
});

it("a key that vanishes is asked for again, of a leader that knows it is one", async () => {
  const { server, states, asked, unpaused } = await watching([
    keyAnswer("a", "1", 5),
    absentAnswer(9),
    keyAnswer("a", "1", 5),
    absentAnswer(10),
    absentAnswer(10),
  ]);
  await unpaused(8);
  await asked(6);
  expect(states).toEqual(["1", undefined]);
  expect(server.seen.map(({ query }) => query.consistent)).toEqual([
    undefined,
    undefined,
    "1",
    undefined,
    "1",
    undefined,
  ]);
});

const filtered = { "x-consul-index": "6", "x-consul-results-filtered-by-acls": "true" };
it.each<[what: string, answer: Answer | Fault, error: RegExp]>([
  ["no leader", { status: 500, body: "No cluster leader" }, /No cluster leader/],
  ["too many connections", { status: 429, body: "slow down" }, /slow down/],
  ["a missing rule", { status: 403, body: "Permission denied" }, /Permission denied/],
  ["a reset connection", "reset", /./],
  ["an answer that is cut off", "cut", /cut off/],
  ["a filtered answer", { status: 404, headers: filtered }, /left keys out/],
  ["a 404 that is not Consul's", { status: 404 }, /not one of Consul/],
])("%s is reported, not told as a state, and asked again after a pause", async (_, answer, error) => {
  const { clock, server, errors, states, asked, asleep } = await watching([keyAnswer("a", "1", 5), answer]);
  await asked(2);
  await asleep();
  expect(errors).toEqual([expect.stringMatching(error)]);
  await clock.advance(124);
  expect(server.seen.length).toBe(2);
  await clock.advance(64);
  await asked(3);
  expect(indexes(server.seen)).toEqual([undefined, "5", "5"]);
  expect(states).toEqual(["1"]);
});

it("pauses grow up to half a minute, and shrink after an answer", async () => {
  const { errors, states, asked, unpaused } = await watching([], {}, (_, number) => {
    if (number === 12) return keyAnswer("a", "1", 5);
    return number > 13 ? "hang" : { status: 500, body: "No cluster leader" };
  });
  for (const [at, pause] of [188, 375, 750, 1500, 3000, 6000, 12000, 22500, 22500, 22500, 22500].entries()) {
    await asked(at + 1);
    await unpaused(pause);
  }
  await asked(13);
  await unpaused(188);
  await asked(14);
  expect(errors.length).toBe(12);
  expect(states).toEqual(["1"]);
});

it("a key that changes all the time is not asked for in a hot loop", async () => {
  const { clock, server, asked, asleep } = await watching([], {}, (_, number) => keyAnswer("a", "1", number));
  await asked(20);
  await asleep();
  expect(server.seen.length).toBe(20);
  await clock.advance(1000);
  await asked(25);
});

it("aborting ends the request that is held open, and a pause", async () => {
  const open = await watching([keyAnswer("a", "1", 5)]);
  await open.asked(2);
  open.stop.abort();
  await open.ended;
  const pausing = await watching([{ status: 500, body: "No cluster leader" }]);
  await pausing.asleep();
  pausing.stop.abort();
  await pausing.ended;
  expect([open.errors.length, pausing.errors.length, pausing.clock.sleepers()]).toEqual([0, 1, 0]);
});

it("closing the adapter ends its watches", async () => {
  const { kv, asked, ended, errors } = await watching([keyAnswer("a", "1", 5)]);
  await asked(2);
  await kv.close();
  await ended;
  expect(errors).toEqual([]);
});

it("watches do not use up the connections of other requests", async () => {
  const server = await scriptedConsul(({ query }) => (query.index ? "hang" : keyAnswer("a", "1", 5)));
  const kv = consulKv({ address: server.address, connections: 1 });
  const stop = new AbortController();
  cleanups.push(
    () => server.stop(),
    () => kv.close(),
  );
  const watches = Array.from({ length: 5 }, () =>
    kv.watch("a", { signal: stop.signal })[Symbol.asyncIterator](),
  );
  for (const watch of watches) await watch.next();
  const pending = watches.map((watch) => watch.next());
  await vi.waitFor(() => expect(server.seen.length).toBe(10));
  expect((await kv.get("a"))?.modifyIndex).toBe("5");
  stop.abort();
  expect((await Promise.all(pending)).map((step) => step.done)).toEqual(Array(5).fill(true));
});
