import type { KvOp } from "@sluice/core";
import { afterEach, expect, it } from "vitest";
import { consulKv } from "./consul-kv.ts";
import { limited, operationsOf } from "./testing/limited-server.ts";
import { type Answer, type Seen, scriptedConsul } from "./testing/scripted-consul.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function against(script: (request: Seen) => Answer) {
  const server = await scriptedConsul(script);
  const kv = consulKv({ address: server.address });
  cleanups.push(
    () => server.stop(),
    () => kv.close(),
  );
  return { kv, server };
}

const sets = (count: number): KvOp[] =>
  Array.from({ length: count }, (_, at) => ({ verb: "set", key: `k/${at}`, value: Buffer.from("v") }));

it.each([64, 128])(
  "the limit of a server with %i operations is known before a larger commit is sent",
  async (most) => {
    const { kv, server } = await against(limited(most));
    expect(kv.limits.operations).toBe(63);
    expect((await kv.commit(sets(63))).applied).toBe(true);
    expect(server.seen.length).toBe(1);
    const beyond = kv.commit(sets(most + 1));
    await expect(beyond).rejects.toMatchObject({
      code: "KV_INVALID",
      message: expect.stringMatching(/too many operations/),
    });
    expect(kv.limits.operations).toBe(most - 1);
    expect(await kv.commit(sets(most))).toEqual({ applied: true, index: "7" });
  },
);

it("a server that falls back to fewer operations is learnt from, and nothing is sent in parts", async () => {
  let most = 128;
  const { kv, server } = await against((request) => limited(most)(request));
  expect((await kv.commit(sets(100))).applied).toBe(true);
  expect(kv.limits.operations).toBe(127);
  most = 64;
  const before = server.seen.length;
  await expect(kv.commit(sets(100))).rejects.toMatchObject({ code: "KV_INVALID" });
  expect(server.seen.length).toBe(before + 1);
  expect(kv.limits.operations).toBe(63);
});

it.each([
  [
    "body",
    "Request body(800 bytes) too large, max size: 700 bytes. See …#txn_max_req_len.",
    { bodyBytes: 700 },
  ],
  [
    "value",
    "Request body(800 bytes) too large, max size: 600 bytes. See …#kv_max_value_size.",
    { valueBytes: 600 },
  ],
  ["value", 'Value for key "a" is too large (800 > 500 bytes)', { valueBytes: 500 }],
])("a smaller limit of the %s is learnt from the refusal", async (_, body, learnt) => {
  const { kv } = await against(() => ({ status: 413, body }));
  await expect(kv.commit(sets(1))).rejects.toMatchObject({ code: "KV_INVALID" });
  expect(kv.limits).toMatchObject(learnt);
});

it("what cannot fit is refused before it is sent", async () => {
  const { kv, server } = await against(limited(64));
  const tooMuch: KvOp = { verb: "set", key: "a", value: Buffer.alloc(400_000) };
  const tooLarge: KvOp = { verb: "set", key: "a", value: Buffer.alloc(kv.limits.valueBytes + 2) };
  await expect(kv.commit([tooMuch])).rejects.toMatchObject({
    code: "KV_INVALID",
    message: expect.stringMatching(/request has/),
  });
  await expect(kv.commit([tooLarge])).rejects.toMatchObject({
    code: "KV_INVALID",
    message: expect.stringMatching(/"a" exceeds/),
  });
  await expect(kv.putLarge("a", tooLarge.value, "0")).rejects.toMatchObject({ code: "KV_INVALID" });
  expect(server.seen).toEqual([]);
});

it("a commit that just fits is sent", async () => {
  const { kv, server } = await against(limited(64));
  const value = Buffer.alloc(Math.floor(((kv.limits.bodyBytes - 80) * 3) / 4));
  expect((await kv.commit([{ verb: "set", key: "a", value }])).applied).toBe(true);
  expect(server.seen.length).toBe(1);
});

const FENCE = { key: "lock", session: "s" };
const rollbacks: [what: string, errors: [number, string][], outcome: object][] = [
  ["a lost fence", [[0, 'current session "x" doesn\'t match']], { code: "LOCK_LOST" }],
  [
    "a lost fence beside conflicts",
    [
      [2, "stale"],
      [0, 'failed session check, key "lock" doesn\'t exist'],
    ],
    { code: "LOCK_LOST" },
  ],
  ["a missing rule", [[1, "Permission denied"]], { code: "KV_DENIED" }],
  ["a missing rule for the fence", [[0, "Permission denied"]], { code: "KV_DENIED" }],
  ["a failure of an unconditional write", [[1, "Must provide key"]], { code: "KV_INVALID" }],
  ["no reason", [], { code: "KV_INVALID" }],
];
it.each(rollbacks)("a transaction rolled back by %s throws", async (_, errors, outcome) => {
  const Errors = errors.map(([OpIndex, What]) => ({ OpIndex, What }));
  const { kv } = await against(() => ({ status: 409, body: { Results: null, Errors } }));
  const ops: KvOp[] = [...sets(1), { verb: "cas", key: "b", value: Buffer.from("1"), index: "3" }];
  await expect(kv.commit(ops, { fence: FENCE })).rejects.toMatchObject(outcome);
});

it("a conflict is told by the caller's own positions, with a fence and without", async () => {
  const { kv } = await against((request) => {
    const OpIndex = operationsOf(request).findIndex(({ KV }) => KV.Verb === "cas");
    return { status: 409, body: { Results: null, Errors: [{ OpIndex, What: "index is stale" }] } };
  });
  const ops: KvOp[] = [...sets(2), { verb: "cas", key: "b", value: Buffer.from("1"), index: "3" }];
  const expected = { applied: false, conflicts: [{ op: 2, what: "index is stale" }] };
  expect(await kv.commit(ops)).toEqual(expected);
  expect(await kv.commit(ops, { fence: FENCE })).toEqual(expected);
});

it("a commit is one request, with the fence first", async () => {
  const { kv, server } = await against(limited(64));
  await kv.commit(
    [
      { verb: "cas", key: "a", value: Buffer.from("x"), index: "5" },
      { verb: "delete-cas", key: "b", index: "6" },
      { verb: "delete", key: "c" },
      { verb: "check-index", key: "d", index: "7" },
      { verb: "check-not-exists", key: "e" },
    ],
    { fence: FENCE },
  );
  expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(["PUT /txn"]);
  expect(server.seen.flatMap(operationsOf)).toEqual([
    { KV: { Verb: "check-session", Key: "lock", Session: "s" } },
    { KV: { Verb: "cas", Key: "a", Value: "eA==", Index: 5 } },
    { KV: { Verb: "delete-cas", Key: "b", Index: 6 } },
    { KV: { Verb: "delete", Key: "c" } },
    { KV: { Verb: "check-index", Key: "d", Index: 7 } },
    { KV: { Verb: "check-not-exists", Key: "e" } },
  ]);
});

it("a commit of nothing is applied without a request, a fence alone is asked for", async () => {
  const { kv, server } = await against(limited(64));
  expect(await kv.commit([])).toEqual({ applied: true, index: "0" });
  expect(server.seen).toEqual([]);
  expect((await kv.commit([], { fence: FENCE })).applied).toBe(true);
  expect(server.seen.length).toBe(1);
});

it.each(["", "abc", "-1", "1.5", "9007199254740993"])(
  "the index %o is refused as no index",
  async (index) => {
    const { kv, server } = await against(limited(64));
    await expect(kv.commit([{ verb: "check-index", key: "a", index }])).rejects.toMatchObject({
      code: "KV_INVALID",
    });
    expect(server.seen).toEqual([]);
  },
);
