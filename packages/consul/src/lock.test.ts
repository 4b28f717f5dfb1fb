import { manualClock } from "@sluice/core/testing";
import { afterEach, expect, it, vi } from "vitest";
import { consulKv } from "./consul-kv.ts";
import { keyAnswer } from "./testing/scripted-consul.ts";
import { heldBy, type LockScript, nameOf, scriptedLocks } from "./testing/scripted-locks.ts";

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

it("creates a session that depends on its TTL alone, and takes the key with it", async () => {
  const { kv, server, asked } = await against({});
  const lock = await kv.lock("lock", OPTIONS, forever());
  expect(lock.fence).toEqual({ key: "lock", session: "s" });
  await asked("index", 1);
  const create = server.seen.find(({ path }) => path === "/session/create");
  const acquire = server.seen.find(({ query }) => query.acquire !== undefined);
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

it("ends the session of an attempt that failed as soon as the server listens again, so that nobody waits for its TTL", async () => {
  let destroyed = 0;
  const { kv, clock, asked } = await against({
    acquire: () => ({ status: 500, body: "no leader" }),
    destroy: () => {
      destroyed += 1;
      return destroyed < 3 ? { status: 500, body: "no leader" } : { body: true };
    },
  });
  await expect(kv.lock("lock", OPTIONS, forever())).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
  await asked("/session/destroy", 1);
  await vi.waitFor(async () => {
    await clock.advance(500);
    expect(destroyed).toBe(3);
  });
  await clock.advance(60_000);
  await asked("/session/destroy", 3);
});

it("knows the limits of the server once a lock is held", async () => {
  const { kv, count } = await against({});
  await (await kv.lock("lock", OPTIONS, forever())).release();
  await (await kv.lock("lock", OPTIONS, forever())).release();
  expect(count("/txn")).toBe(1);
});

it("asks for the limits once more where that failed before the lock was there", async () => {
  let asked = 0;
  const { kv, count } = await against({
    limits: () => ({ status: ++asked === 1 ? 500 : 413, body: "too many operations (129 > 64)" }),
  });
  await kv.lock("lock", OPTIONS, forever());
  expect([count("/txn"), kv.limits.operations]).toEqual([2, 63]);
});

it("gives the lock back where the limits cannot be learnt", async () => {
  const { kv, server } = await against({ limits: () => ({ status: 500, body: "No cluster leader" }) });
  await expect(kv.lock("lock", OPTIONS, forever())).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
  expect(server.seen.map(nameOf).slice(-2)).toEqual(["PUT /kv/lock release", "PUT /session/destroy/s"]);
});

it("waits while another holds the key, takes it when it is free, and sits out the lock delay", async () => {
  let attempts = 0;
  let reads = 0;
  const { kv, clock, asked } = await against({
    acquire: () => ({ body: ++attempts === 5 }),
    read: ({ query }) => {
      reads += 1;
      if (reads === 1) return heldBy("other");
      if (reads === 2) return keyAnswer("lock", "other", 6);
      return attempts < 5 ? keyAnswer("lock", "other", 6) : query.index ? "hang" : heldBy("s");
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
    read: ({ query }) => (query.index ? "hang" : heldBy("other")),
    renew: () => ({ status: 404, body: "" }),
  });
  const waiting = kv.lock("lock", OPTIONS, forever()).catch((error: unknown) => error);
  await asked("index", 1);
  await clock.advance(5_000);
  expect(await waiting).toMatchObject({ code: "KV_UNREACHABLE" });
  await asked("destroy", 1);
});

it.each<[what: string, script: LockScript, code: string]>([
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
    read: ({ query }) => (query.index ? "hang" : heldBy("other")),
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
