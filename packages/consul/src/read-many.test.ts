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

it("keys left out of a read without a word are noticed", async () => {
  const { kv } = await against((request) => {
    const answer = limited(64)(request).body as { Results: unknown[] };
    return { body: { Results: answer.Results.slice(1), Errors: null } };
  });
  await expect(kv.getMany(["a", "b"])).rejects.toMatchObject({ code: "KV_FILTERED" });
});

it("a server without get-or-empty is asked once about it, and absent keys are found by their errors", async () => {
  const { kv, server } = await against((request) => {
    const operations = operationsOf(request);
    const errors = operations.flatMap(({ KV }, OpIndex) => {
      if (KV.Verb === "get-or-empty") return [{ OpIndex, What: 'unknown KV verb "get-or-empty"' }];
      return KV.Key.includes("gone") ? [{ OpIndex, What: `key "${KV.Key}" doesn't exist` }] : [];
    });
    return errors.length > 0
      ? { status: 409, body: { Results: null, Errors: errors } }
      : limited(64)(request);
  });
  const keys = ["a", "gone/1", "b", "gone/2"];
  expect([...(await kv.getMany(keys)).keys()]).toEqual(["a", "b"]);
  expect([...(await kv.getMany(keys)).keys()]).toEqual(["a", "b"]);
  const verbs = server.seen.map((one) => operationsOf(one).map(({ KV }) => KV.Verb));
  expect(verbs.map((one) => `${one.length} ${one[0]}`)).toEqual([
    "4 get-or-empty",
    "4 get",
    "2 get",
    "4 get",
    "2 get",
  ]);
});

it("a server with get-or-empty needs one request, and an entry at index 0 is an absent key", async () => {
  const { kv, server } = await against((request) => ({
    body: {
      Results: operationsOf(request).map(({ KV }) => ({
        KV: { Key: KV.Key, Value: null, ModifyIndex: KV.Key === "gone" ? 0 : 5 },
      })),
    },
  }));
  expect([...(await kv.getMany(["gone", "a"])).keys()]).toEqual(["a"]);
  expect(server.seen.length).toBe(1);
});

it("a read rolled back for any other reason is thrown", async () => {
  const Errors = [{ OpIndex: 0, What: "Permission denied" }];
  const { kv } = await against(() => ({ status: 409, body: { Results: null, Errors } }));
  await expect(kv.getMany(["a", "b"])).rejects.toMatchObject({ code: "KV_DENIED" });
});
