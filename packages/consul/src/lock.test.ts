import type { KvLock } from "@sluice/core";
import { manualClock } from "@sluice/core/testing";
import { afterEach, expect, it, vi } from "vitest";
import { consulKv } from "./consul-kv.ts";
import { goDurationMs } from "./session.ts";
import {
  type Answer,
  absentAnswer,
  type Fault,
  keyAnswer,
  type Seen,
  scriptedConsul,
} from "./testing/scripted-consul.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Reaction = (request: Seen) => Answer | Fault | Promise<Answer | Fault>;

/** What the server does; everything not given goes well, with the session "s" and the key held by it. */
interface Script {
  create?: Reaction;
  renew?: Reaction;
  acquire?: Reaction;
  /** The key, asked without an index or with one. */
  read?: Reaction;
}

const held = (session = "s", index = 5) => keyAnswer("lock", "me", index, { Session: session });

async function against(script: Script) {
  const clock = manualClock();
  const server = await scriptedConsul((request) => {
    const { path, query } = request;
    if (path === "/txn") return { status: 413, body: "Transaction contains too many operations (129 > 64)" };
    if (path === "/session/create") return script.create?.(request) ?? { body: { ID: "s" } };
    if (path.startsWith("/session/renew/")) return script.renew?.(request) ?? { body: [{ TTL: "10s" }] };
    if (path.startsWith("/session/destroy/")) return { body: true };
    if (query.acquire) return script.acquire?.(request) ?? { body: true };
    if (query.release) return { body: true };
    return script.read?.(request) ?? (query.index ? "hang" : held());
  });
  const kv = consulKv({ address: server.address, clock, random: () => 0.5 });
  cleanups.push(
    () => server.stop(),
    () => kv.close(),
  );
  const count = (part: string) => server.seen.filter((one) => nameOf(one).includes(part)).length;
  const asked = (part: string, times: number) => vi.waitFor(() => expect(count(part)).toBe(times));
  return { clock, server, kv, count, asked };
}

function nameOf({ method, path, query }: Seen): string {
  return `${method} ${path} ${Object.keys(query).join(",")}`.trim();
}

const OPTIONS = { ttlMs: 10_000, lockDelayMs: 5_000, holder: "me" };
const forever = () => new AbortController().signal;

function lostFor(lock: KvLock): Promise<string> {
  return vi.waitFor(() => {
    expect(lock.lost.aborted).toBe(true);
    return (lock.lost.reason as Error).message;
  });
}

it("creates a session that depends on its TTL alone, and takes the key with it", async () => {
  const { kv, server, asked } = await against({});
  const lock = await kv.lock("lock", OPTIONS, forever());
  expect(lock.fence).toEqual({ key: "lock", session: "s" });
  await asked("index", 1);
  const [, create, acquire] = server.seen;
  expect(JSON.parse(create?.body ?? "")).toEqual({
    Name: "me: lock",
    TTL: "10000ms",
    LockDelay: "5000ms",
    Behavior: "release",
    Checks: [],
  });
  expect([acquire?.path, acquire?.query, acquire?.body]).toEqual(["/kv/lock", { acquire: "s" }, "me"]);
});

it("releases the key before it destroys the session, so that no lock delay begins", async () => {
  const { kv, server } = await against({});
  const lock = await kv.lock("lock", OPTIONS, forever());
  await lock.release();
  expect(server.seen.map(nameOf).slice(-2)).toEqual(["PUT /kv/lock release", "PUT /session/destroy/s"]);
  expect(lock.lost.reason).toMatchObject({ code: "LOCK_LOST" });
});

it("knows the limits of the server once a lock is held", async () => {
  const { kv, count } = await against({});
  await (await kv.lock("lock", OPTIONS, forever())).release();
  await (await kv.lock("lock", OPTIONS, forever())).release();
  expect(count("/txn")).toBe(1);
});

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
  ["another session", held("thief", 9)],
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
      if (query.index === undefined) return held();
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

it("waits while another holds the key, takes it when it is free, and sits out the lock delay", async () => {
  let attempts = 0;
  let reads = 0;
  const { kv, clock, asked } = await against({
    acquire: () => ({ body: ++attempts === 5 }),
    read: ({ query }) => {
      reads += 1;
      if (reads === 1) return held("other", 5);
      if (reads === 2) return keyAnswer("lock", "other", 6);
      return attempts < 5 ? keyAnswer("lock", "other", 6) : query.index ? "hang" : held();
    },
  });
  const waiting = kv.lock("lock", OPTIONS, forever());
  await asked("acquire", 2);
  for (const [at, pause] of [188, 375, 750].entries()) {
    await vi.waitFor(() => expect(clock.sleepers()).toBe(2));
    await clock.advance(pause);
    await asked("acquire", at + 3);
  }
  expect((await waiting).lost.aborted).toBe(false);
});

it("a session that is lost while waiting is told as a transient failure, and cleaned up", async () => {
  const { kv, clock, asked } = await against({
    acquire: () => ({ body: false }),
    read: ({ query }) => (query.index ? "hang" : held("other")),
    renew: () => ({ status: 404, body: "" }),
  });
  const waiting = kv.lock("lock", OPTIONS, forever()).catch((error: unknown) => error);
  await asked("index", 1);
  await clock.advance(5_000);
  expect(await waiting).toMatchObject({ code: "KV_UNREACHABLE" });
  await asked("destroy", 1);
});

it.each<[what: string, script: Script, code: string]>([
  ["a TTL Consul refuses", { create: () => ({ status: 400, body: "Invalid Session TTL" }) }, "KV_INVALID"],
  [
    "a session that is unknown at once",
    { acquire: () => ({ status: 500, body: "invalid session" }) },
    "KV_UNREACHABLE",
  ],
  ["a missing rule", { acquire: () => ({ status: 403, body: "Permission denied" }) }, "KV_DENIED"],
  ["an answer that is lost", { acquire: () => "reset" }, "KV_UNREACHABLE"],
])("taking it fails by %s, and leaves nothing behind", async (_, script, code) => {
  const { kv, count, asked } = await against(script);
  await expect(kv.lock("lock", OPTIONS, forever())).rejects.toMatchObject({ code });
  if (count("acquire") > 0) await asked("destroy", 1);
  expect(count("release")).toBe(count("acquire"));
});

it("aborting ends the wait at once, and cleans up behind", async () => {
  const { kv, asked } = await against({
    acquire: () => ({ body: false }),
    read: ({ query }) => (query.index ? "hang" : held("other")),
  });
  const stop = new AbortController();
  const reason = new Error("enough");
  const waiting = kv.lock("lock", OPTIONS, stop.signal).catch((error: unknown) => error);
  await asked("index", 1);
  stop.abort(reason);
  expect(await waiting).toBe(reason);
  await asked("destroy", 1);
});

it("closing the adapter releases what is held", async () => {
  const { kv, server } = await against({});
  const lock = await kv.lock("lock", OPTIONS, forever());
  await kv.close();
  expect(lock.lost.aborted).toBe(true);
  expect(server.seen.map(nameOf).slice(-2)).toEqual(["PUT /kv/lock release", "PUT /session/destroy/s"]);
  await lock.release();
});

it("release never rejects", async () => {
  const { kv, server } = await against({});
  const lock = await kv.lock("lock", OPTIONS, forever());
  await server.stop();
  await lock.release();
});

it.each([
  ["10s", 10_000],
  ["1m0s", 60_000],
  ["1h2m3.5s", 3_723_500],
  ["500ms", 500],
  ["", undefined],
  ["soon", undefined],
  ["10", undefined],
])("the Go duration %o is %o ms", (text, ms) => {
  expect(goDurationMs(text)).toBe(ms);
});
