import type { KvLock } from "@sluice/core";
import { manualClock } from "@sluice/core/testing";
import { afterEach, expect, it, vi } from "vitest";
import { consulKv } from "./consul-kv.ts";
import { type Answer, absentAnswer, type Fault, keyAnswer } from "./testing/scripted-consul.ts";
import { heldBy, type LockScript, scriptedLocks } from "./testing/scripted-locks.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function against(script: LockScript) {
  const clock = manualClock();
  const server = await scriptedLocks(script);
  const kv = consulKv({ address: server.address, clock, random: () => 0.5 });
  cleanups.push(
    () => server.stop(),
    () => kv.close(),
  );
  return { clock, server, kv, count: server.count, asked: server.asked };
}

const OPTIONS = { ttlMs: 10_000, lockDelayMs: 5_000, holder: "me" };
const forever = () => new AbortController().signal;

function lostFor(lock: KvLock): Promise<string> {
  return vi.waitFor(() => {
    expect(lock.lost.aborted).toBe(true);
    return (lock.lost.reason as Error).message;
  });
}

it("renews at half the TTL, and obeys a TTL that was raised", async () => {
  const { kv, clock, asked, count } = await against({ renew: () => ({ body: [{ TTL: "1m0s" }] }) });
  const lock = await kv.lock("lock", OPTIONS, forever());
  await clock.advance(4_999);
  expect(count("renew")).toBe(0);
  await clock.advance(1);
  await asked("renew", 1);
  await vi.waitFor(() => expect(clock.sleepers()).toBe(1));
  await clock.advance(29_999);
  expect(count("renew")).toBe(1);
  await clock.advance(1);
  await asked("renew", 2);
  expect(lock.lost.aborted).toBe(false);
});

it("is lost when the session is gone", async () => {
  const { kv, clock } = await against({ renew: () => ({ status: 404, body: "Session id 's' not found" }) });
  const lock = await kv.lock("lock", OPTIONS, forever());
  await clock.advance(5_000);
  expect(await lostFor(lock)).toMatch(/is gone/);
});

it.each<[what: string, answer: Answer | Fault]>([
  ["no leader", { status: 500, body: "No cluster leader" }],
  ["reset connections", "reset"],
  ["a revoked token", { status: 403, body: "ACL not found" }],
])("outlives %s for its TTL, and is lost then", async (_, answer) => {
  const { kv, clock, count } = await against({ renew: () => answer });
  const lock = await kv.lock("lock", OPTIONS, forever());
  const began = clock.now();
  while (!lock.lost.aborted) {
    await vi.waitFor(() => expect(clock.sleepers() > 0 || lock.lost.aborted).toBe(true));
    await clock.advance(50);
  }
  expect(clock.now() - began).toBeGreaterThanOrEqual(10_000);
  expect(clock.now() - began).toBeLessThan(11_500);
  expect(lock.lost.reason).toMatchObject({ code: "LOCK_LOST", message: expect.stringMatching(/in time/) });
  expect(count("renew")).toBeGreaterThan(3);
});

it("a renewal that fails once does no harm", async () => {
  let renewals = 0;
  const { kv, clock, asked } = await against({
    renew: () => (++renewals === 1 ? "reset" : { body: [{ TTL: "10s" }] }),
  });
  const lock = await kv.lock("lock", OPTIONS, forever());
  await clock.advance(5_000);
  for (const times of [1, 2, 3]) {
    await asked("renew", times);
    await vi.waitFor(() => expect(clock.sleepers()).toBe(1));
    await clock.advance(5_000);
  }
  expect(lock.lost.aborted).toBe(false);
});

it.each<[what: string, answer: Answer]>([
  ["another session", heldBy("thief", 9)],
  ["nobody", keyAnswer("lock", "me", 9)],
  ["no key at all", absentAnswer(9)],
])("is lost when its key is seen with %s", async (_, later) => {
  let taken: (answer: Answer) => void = () => undefined;
  const change = new Promise<Answer>((resolve) => {
    taken = resolve;
  });
  const { kv, asked } = await against({
    read: ({ query }) => {
      if (query.consistent) return later;
      if (query.index === undefined) return heldBy("s");
      return query.index === "5" ? change : "hang";
    },
  });
  const lock = await kv.lock("lock", OPTIONS, forever());
  await asked("index", 1);
  expect(lock.lost.aborted).toBe(false);
  taken(later);
  expect(await lostFor(lock)).toMatch(/another session/);
  await asked("destroy", 1);
});
