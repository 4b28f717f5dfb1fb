import { expect, it } from "vitest";
import {
  describeConsuls,
  freshPrefix,
  indexOf,
  json,
  type Reply,
  withoutIndexes,
} from "./consul-http-target.ts";

interface Operation {
  Verb: string;
  Key: string;
  Value?: string;
  Index?: number;
  Session?: string;
  Flags?: number;
}

const READ_META = { Index: 0, LastContact: 0, KnownLeader: true, ConsistencyLevel: "" };
const HI = "aGk=";

describeConsuls("transactions", (target) => {
  const raw = (body: string) => target().call("PUT", "/v1/txn", body);
  const txn = (...operations: Operation[]) => raw(JSON.stringify(operations.map((KV) => ({ KV }))));
  const value = async (key: string) => (await target().call("GET", `/v1/kv/${key}?raw`)).text;

  function entry(key: string, change: object = {}) {
    return { KV: { LockIndex: 0, Key: key, Flags: 0, Value: null, ...INDEXES, ...change } };
  }

  it("sets several keys at one index and shows them without values", async () => {
    const at = freshPrefix();
    const reply = await txn(
      { Verb: "set", Key: `${at}a`, Value: HI, Flags: 7 },
      { Verb: "set", Key: `${at}b` },
      { Verb: "delete", Key: `${at}none` },
    );
    expect(reply.status).toBe(200);
    expect(withoutIndexes(reply.text)).toEqual({
      Results: [entry(`${at}a`, { Flags: 7 }), entry(`${at}b`)],
      Errors: null,
    });
    const items = json<{ ModifyIndex: number }[]>(await target().call("GET", `/v1/kv/${at}?recurse`));
    expect(new Set(items.map(({ ModifyIndex }) => ModifyIndex)).size).toBe(1);
  });

  it("answers reads with values and the query's meta data", async () => {
    const at = freshPrefix();
    await txn({ Verb: "set", Key: `${at}a`, Value: HI }, { Verb: "set", Key: `${at}b` });
    const reply = await txn({ Verb: "get", Key: `${at}a` }, { Verb: "get-tree", Key: at });
    const both = [entry(`${at}a`, { Value: HI }), entry(`${at}b`)];
    expect(withoutIndexes(reply.text)).toEqual({
      Results: [entry(`${at}a`, { Value: HI }), ...both],
      Errors: null,
      ...READ_META,
    });
    expect(reply.headers.get("x-consul-knownleader")).toBe("true");
  });

  it("lets later operations see earlier ones", async () => {
    const at = freshPrefix();
    await txn({ Verb: "set", Key: `${at}old`, Value: HI });
    const reply = await txn(
      { Verb: "set", Key: `${at}a`, Value: HI },
      { Verb: "get", Key: `${at}a` },
      { Verb: "delete", Key: `${at}old` },
      { Verb: "check-not-exists", Key: `${at}old` },
      { Verb: "get-tree", Key: at },
    );
    const full = entry(`${at}a`, { Value: HI });
    expect(withoutIndexes(reply.text)).toEqual({ Results: [entry(`${at}a`), full, full], Errors: null });
  });

  it("undoes everything when one operation is refused, and tells of every refusal", async () => {
    const at = freshPrefix();
    await txn({ Verb: "set", Key: `${at}a`, Value: HI });
    const [before] = json<{ ModifyIndex: number }[]>(await target().call("GET", `/v1/kv/${at}a`));
    const reply = await txn(
      { Verb: "set", Key: `${at}a`, Value: "Ynll" },
      { Verb: "set", Key: `${at}b`, Value: HI },
      { Verb: "get", Key: `${at}none` },
      { Verb: "cas", Key: `${at}none`, Value: HI, Index: 7 },
    );
    expect(reply.status).toBe(409);
    expect(json(reply)).toEqual({
      Results: null,
      Errors: [
        { OpIndex: 2, What: `key "${at}none" doesn't exist` },
        { OpIndex: 3, What: `failed to set key "${at}none", index is stale` },
      ],
    });
    const list = await target().call("GET", `/v1/kv/${at}?recurse`);
    expect(json<{ Key: string }[]>(list).map(({ Key }) => Key)).toEqual([`${at}a`]);
    expect(indexOf(list)).toBe(before?.ModifyIndex);
    expect(await value(`${at}a`)).toBe("hi");
  });

  it("does cas, delete-cas, delete and delete-tree", async () => {
    const at = freshPrefix();
    expect((await txn({ Verb: "cas", Key: `${at}a`, Value: HI, Index: 0 })).status).toBe(200);
    const [{ ModifyIndex } = { ModifyIndex: 0 }] = json<{ ModifyIndex: number }[]>(
      await target().call("GET", `/v1/kv/${at}a`),
    );
    expect((await txn({ Verb: "check-index", Key: `${at}a`, Index: ModifyIndex })).status).toBe(200);
    expect((await txn({ Verb: "cas", Key: `${at}a`, Value: "Ynll", Index: ModifyIndex })).status).toBe(200);
    expect(await value(`${at}a`)).toBe("bye");
    expect((await txn({ Verb: "delete-cas", Key: `${at}a`, Index: ModifyIndex })).status).toBe(409);
    expect((await txn({ Verb: "delete-cas", Key: `${at}none`, Index: 5 })).status).toBe(200);
    await txn(
      { Verb: "set", Key: `${at}t/1` },
      { Verb: "set", Key: `${at}t/2` },
      { Verb: "set", Key: `${at}t2` },
    );
    const reply = await txn({ Verb: "delete-tree", Key: `${at}t/` }, { Verb: "delete", Key: `${at}a` });
    expect(reply.text).toBe('{"Results":[],"Errors":null}');
    expect(json(await target().call("GET", `/v1/kv/${at}?keys`))).toEqual([`${at}t2`]);
  });

  const absent = `absent-${freshPrefix()}key`;
  it.each<[Operation, string]>([
    [{ Verb: "nope", Key: "a" }, 'unknown KV verb "nope"'],
    [{ Verb: "constructor", Key: "a" }, 'unknown KV verb "constructor"'],
    [{ Verb: "set", Key: "" }, "Must provide key"],
    [{ Verb: "get-tree", Key: "" }, "Must provide key"],
    [{ Verb: "get", Key: absent }, `key "${absent}" doesn't exist`],
    [{ Verb: "check-index", Key: absent, Index: 1 }, `failed to check index, key "${absent}" doesn't exist`],
    [{ Verb: "check-session", Key: absent }, `failed to check session, key "${absent}" doesn't exist`],
    [{ Verb: "lock", Key: absent }, "missing session"],
    [
      { Verb: "lock", Key: absent, Session: "x" },
      "failed session lookup: index error: UUID must be 36 characters",
    ],
    [{ Verb: "lock", Key: absent, Session: "1".repeat(36) }, `invalid session "${"1".repeat(36)}"`],
    [
      { Verb: "unlock", Key: absent, Session: "x" },
      `failed to unlock key "${absent}", lock isn't held, or is held by another session`,
    ],
  ])("refuses %j", async (operation, what) => {
    const reply = await txn(operation);
    expect([reply.status, json<{ Errors: unknown }>(reply).Errors]).toEqual([
      409,
      [{ OpIndex: 0, What: what }],
    ]);
  });

  it.each([
    ["", "EOF"],
    ["x", "invalid character 'x' looking for beginning of value"],
    ["{}", "json: cannot unmarshal object into Go value of type api.TxnOps"],
    ['[{"Session":{}}]', 'json: unknown field "Session"'],
    ['[{"KV":{"Verb":"set","Key":"a","Nope":1}}]', 'json: unknown field "Nope"'],
    ['[{"KV":{"Verb":"set","Key":"a","Value":"aGk"}}]', "illegal base64 data at input byte 0"],
    ['[{"KV":{"Verb":"set","Key":"a","Value":"a**"}}]', "illegal base64 data at input byte 1"],
  ])("refuses the body %j with 400", async (body, reason) => {
    const reply = await raw(body);
    expect([reply.status, reply.text]).toEqual([400, `Failed to parse body: ${reason}`]);
  });

  it.each(["[]", "null", "[{}]"])("takes %s for an empty read", async (body) => {
    expect(json(await raw(body))).toEqual({ Results: [], Errors: null, ...READ_META });
  });

  it("takes field names in any case", async () => {
    const key = `${freshPrefix()}a`;
    expect((await raw(`[{"kv":{"verb":"set","key":"${key}","value":"${HI}"}}]`)).status).toBe(200);
    expect(await value(key)).toBe("hi");
  });

  it("takes as many operations as the version allows and no more", async () => {
    const at = freshPrefix();
    const many = (count: number) =>
      txn(...Array.from({ length: count }, (_, n) => ({ Verb: "set", Key: `${at}${n}` })));
    const most = target().mostOperations;
    const refused: Reply = await many(most + 1);
    expect([refused.status, refused.text]).toEqual([
      413,
      `Transaction contains too many operations (${most + 1} > ${most})`,
    ]);
    expect((await target().call("GET", `/v1/kv/${at}?keys`)).status).toBe(404);
    expect((await many(most)).status).toBe(200);
    expect(json<string[]>(await target().call("GET", `/v1/kv/${at}?keys`))).toHaveLength(most);
  });

  it("knows get-or-empty if the version does", async () => {
    const key = `${freshPrefix()}a`;
    const reply = await txn({ Verb: "get-or-empty", Key: key });
    if (target().hasGetOrEmpty)
      expect(json<{ Results: unknown }>(reply).Results).toMatchObject([{ KV: { Key: key } }]);
    else expect(reply.status).toBe(409);
  });
});

const INDEXES = { CreateIndex: "INDEX", ModifyIndex: "INDEX" };
