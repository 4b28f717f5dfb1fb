import type { KvOp } from "@sluice/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ConsulKv, consulKv } from "./consul-kv.ts";
import type { RawOp } from "./raw-answers.ts";
import { limited, operationsOf } from "./testing/limited-server.ts";
import { type ScriptedConsul, scriptedConsul } from "./testing/scripted-consul.ts";
import { encodeJson, transactionBody } from "./transaction-body.ts";

let server: ScriptedConsul;
let kv: ConsulKv;
beforeAll(async () => {
  server = await scriptedConsul(limited(64));
  kv = consulKv({ address: server.address });
});
afterAll(async () => {
  await kv.close();
  await server.stop();
});

const NAUGHTY = [
  '"',
  "\\",
  "\n",
  "\0",
  "\u007f",
  "\u2028",
  "é",
  "日本",
  "😀",
  "\ud800",
  "a\udc00b",
  '"}},{"KV":{"',
];
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.array(fc.constantFrom(...NAUGHTY, "a/b"), { maxLength: 6 }).map((parts) => parts.join("")),
);
const bytes = fc
  .tuple(fc.uint8Array({ maxLength: 70 }), fc.boolean())
  .map(([value, plain]) => (plain ? value : Buffer.from(value)));
const index = fc
  .oneof(fc.nat(), fc.maxSafeInteger().map(Math.abs), fc.constant(Number.MAX_SAFE_INTEGER))
  .map(String);

const operation: fc.Arbitrary<KvOp> = fc.oneof(
  fc.record({ verb: fc.constant("set" as const), key: text, value: bytes }),
  fc.record({ verb: fc.constant("cas" as const), key: text, value: bytes, index }),
  fc.record({ verb: fc.constantFrom("delete-cas" as const, "check-index" as const), key: text, index }),
  fc.record({ verb: fc.constantFrom("delete" as const, "check-not-exists" as const), key: text }),
);

/** What the server is to read, said the long way. */
function expected(op: KvOp): object {
  return {
    KV: {
      Verb: op.verb,
      Key: op.key,
      ...("value" in op ? { Value: Buffer.from([...op.value]).toString("base64") } : {}),
      ...("index" in op ? { Index: Number(op.index) } : {}),
    },
  };
}

it("the server reads exactly the operations, whatever their keys, values and indexes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 63 }), text, async (ops, lock) => {
      await kv.commit(ops, { fence: { key: lock, session: lock } });
      expect(server.seen.slice(-1).flatMap(operationsOf)).toEqual([
        { KV: { Verb: "check-session", Key: lock, Session: lock } },
        ...ops.map(expected),
      ]);
    }),
    { numRuns: 60 },
  );
});

const rawOperation: fc.Arbitrary<RawOp> = fc.record({
  KV: fc.record(
    {
      Verb: fc.constantFrom("set", "get-or-empty"),
      Key: text,
      Value: bytes.map((value) => Buffer.from(value).toString("base64")),
      Index: index.map(Number),
      Session: text,
    },
    { requiredKeys: ["Verb", "Key"] },
  ),
});

it("the bytes are those of JSON.stringify", () => {
  fc.assert(
    fc.property(fc.array(rawOperation, { maxLength: 10 }), (operations) => {
      const [body] = transactionBody(operations);
      const inOrder = operations.map(({ KV: { Verb, Key, Value, Index, Session } }) => ({
        KV: { Verb, Key, Value, Index, Session },
      }));
      expect(body.toString()).toBe(JSON.stringify(inOrder));
      expect(encodeJson([body])).toBe(body);
    }),
  );
});

it.each([[{ Name: "é", Checks: [] }], [[]], [["a", "b"]], ["text"], [null]])(
  "any other body, such as %j, is encoded as JSON",
  (value) => {
    expect(encodeJson(value).toString()).toBe(JSON.stringify(value));
  },
);

it("the limits of a body and of a value are exact, in bytes", async () => {
  const key = "é/a";
  const set = (length: number): KvOp => ({ verb: "set", key, value: Buffer.alloc(length) });
  const sized = Buffer.byteLength(JSON.stringify([expected(set(300))]));
  for (const [bodyBytes, valueBytes, refusal] of [
    [sized, 300, undefined],
    [sized - 1, 300, `the request has ${sized} bytes, and Consul takes ${sized - 1}`],
    [sized, 299, `the value of "${key}" exceeds Consul's 299 bytes`],
  ] as const) {
    const limitedKv = consulKv({ address: server.address, bodyBytes, valueBytes });
    const before = server.seen.length;
    const commit = limitedKv.commit([set(300)]);
    if (refusal) await expect(commit).rejects.toThrow(refusal);
    else expect((await commit).applied).toBe(true);
    expect(server.seen.length - before).toBe(refusal ? 0 : 1);
    await limitedKv.close();
  }
});
