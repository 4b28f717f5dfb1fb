import { expect, it, vi } from "vitest";
import { describeConsuls, freshPrefix, indexOf, json, withoutIndexes } from "./consul-http-target.ts";

interface Item {
  LockIndex: number;
  ModifyIndex: number;
  Session?: string;
}

describeConsuls("sessions and locks", (target) => {
  async function create(wanted: object = {}): Promise<string> {
    return json<{ ID: string }>(await target().call("PUT", "/v1/session/create", JSON.stringify(wanted))).ID;
  }
  const destroy = (id: string) => target().call("PUT", `/v1/session/destroy/${id}`);
  const acquire = async (key: string, id: string, value = "1") =>
    (await target().call("PUT", `/v1/kv/${key}?acquire=${id}`, value)).text;
  const release = async (key: string, id: string) =>
    (await target().call("PUT", `/v1/kv/${key}?release=${id}`, "1")).text;
  const info = async (id: string) => json<unknown[]>(await target().call("GET", `/v1/session/info/${id}`));
  const txn = (KV: object) => target().call("PUT", "/v1/txn", JSON.stringify([{ KV }]));
  async function item(key: string): Promise<Item | undefined> {
    const reply = await target().call("GET", `/v1/kv/${key}`);
    return reply.status === 404 ? undefined : json<Item[]>(reply)[0];
  }

  it.each<[object, object]>([
    [{}, {}],
    [
      { Name: "n", TTL: "10s", Behavior: "delete" },
      { Name: "n", TTL: "10s", Behavior: "delete" },
    ],
    [{ LockDelay: "1m" }, { LockDelay: 60_000_000_000 }],
    [{ LockDelay: 3 }, { LockDelay: 3_000_000_000 }],
    [{ LockDelay: 5_000_000 }, { LockDelay: 5_000_000 }],
    [{ NodeChecks: [] }, { NodeChecks: [] }],
    [{ TTL: "0s" }, { TTL: "0s" }],
  ])("creates %j with Consul's defaults", async (wanted, shown) => {
    const id = await create(wanted);
    const reply = await target().call("GET", `/v1/session/info/${id}`);
    expect(withoutIndexes(reply.text)).toEqual([
      {
        ID: id,
        Name: "",
        Node: target().node,
        LockDelay: 15_000_000_000,
        Behavior: "release",
        TTL: "",
        NodeChecks: ["serfHealth"],
        ServiceChecks: null,
        CreateIndex: "INDEX",
        ModifyIndex: "INDEX",
        ...shown,
      },
    ]);
    await destroy(id);
    expect(await info(id)).toEqual([]);
  });

  it("lists, by node too, and renews", async () => {
    const id = await create({ TTL: "10s" });
    const shown = await info(id);
    expect(json(await target().call("PUT", `/v1/session/renew/${id}`))).toEqual(shown);
    for (const path of ["/v1/session/list", `/v1/session/node/${target().node}`]) {
      expect(json<{ ID: string }[]>(await target().call("GET", path)).filter(({ ID }) => ID === id)).toEqual(
        shown,
      );
    }
    await destroy(id);
    expect((await target().call("PUT", `/v1/session/renew/${id}`)).status).toBe(404);
  });

  it("lets one session hold a key, and counts each taking", async () => {
    const key = `${freshPrefix()}lock`;
    const [one, two] = [await create({ LockDelay: "1ms" }), await create({ LockDelay: "1ms" })];
    expect(await acquire(key, one)).toBe("true");
    expect(await item(key)).toMatchObject({ LockIndex: 1, Session: one });
    expect(await acquire(key, two)).toBe("false");
    const held = await item(key);
    expect(await acquire(key, one)).toBe("true");
    expect(await item(key)).toEqual(held);
    expect(await acquire(key, one, "new")).toBe("true");
    expect(await item(key)).toMatchObject({ LockIndex: 1, Session: one });
    expect(await release(key, two)).toBe("false");
    expect(await release(key, one)).toBe("true");
    expect((await item(key))?.Session).toBeUndefined();
    expect(await release(key, one)).toBe("false");
    expect(await acquire(key, two)).toBe("true");
    expect(await item(key)).toMatchObject({ LockIndex: 2, Session: two });
    await Promise.all([destroy(one), destroy(two)]);
  });

  it("lets a plain write pass by a lock, which stays", async () => {
    const key = `${freshPrefix()}lock`;
    const id = await create();
    await acquire(key, id);
    await target().call("PUT", `/v1/kv/${key}`, "other");
    expect((await item(key))?.Session).toBe(id);
    await destroy(id);
  });

  it("fences a transaction by the session that holds a key", async () => {
    const key = `${freshPrefix()}lock`;
    const [one, two] = [await create({ LockDelay: "1ms" }), await create()];
    expect((await txn({ Verb: "lock", Key: key, Session: one, Value: "" })).status).toBe(200);
    expect((await txn({ Verb: "check-session", Key: key, Session: one })).status).toBe(200);
    const refused = await txn({ Verb: "check-session", Key: key, Session: two });
    expect(json<{ Errors: unknown }>(refused).Errors).toEqual([
      { OpIndex: 0, What: `failed session check for key "${key}", current session "${one}" != "${two}"` },
    ]);
    const held = await txn({ Verb: "lock", Key: key, Session: two, Value: "" });
    expect(json<{ Errors: unknown }>(held).Errors).toEqual([
      { OpIndex: 0, What: `failed to lock key "${key}", lock is already held` },
    ]);
    expect((await txn({ Verb: "unlock", Key: key, Session: one, Value: "" })).status).toBe(200);
    expect((await item(key))?.Session).toBeUndefined();
    await Promise.all([destroy(one), destroy(two)]);
  });

  it.each(["release", "delete"])(
    "on the end of a session does %s with what it held, at one index",
    async (Behavior) => {
      const at = freshPrefix();
      const id = await create({ Behavior, LockDelay: "1ms" });
      for (const name of ["a", "b"]) await acquire(at + name, id);
      const before = indexOf(await target().call("GET", `/v1/kv/${at}?recurse`));
      await destroy(id);
      const after = await target().call("GET", `/v1/kv/${at}?recurse`);
      expect(indexOf(after)).toBeGreaterThan(before);
      if (Behavior === "delete") expect(after.status).toBe(404);
      else
        expect(json<Item[]>(after).map(({ Session, LockIndex }) => [Session, LockIndex])).toEqual([
          NO_LOCK,
          NO_LOCK,
        ]);
    },
  );

  it("keeps a key from being locked during the lock delay after its session ended", async () => {
    const key = `${freshPrefix()}lock`;
    const [one, two] = [await create({ LockDelay: "2s" }), await create({ LockDelay: "0s" })];
    await acquire(key, one);
    await destroy(one);
    expect(await acquire(key, two)).toBe("false");
    const refused = await txn({ Verb: "lock", Key: key, Session: two, Value: "" });
    expect(json<{ Errors: unknown }>(refused).Errors).toEqual([
      { OpIndex: 0, What: `failed to lock key "${key}" due to lock delay` },
    ]);
    await vi.waitFor(async () => expect(await acquire(key, two)).toBe("true"), {
      timeout: 10_000,
      interval: 100,
    });
    await destroy(two);
  });

  it("has no lock delay after a release, nor with a delay of 0", async () => {
    const key = `${freshPrefix()}lock`;
    const [one, two, three] = [
      await create(),
      await create({ LockDelay: "0s" }),
      await create({ LockDelay: "0s" }),
    ];
    await acquire(key, one);
    await release(key, one);
    expect(await acquire(key, two)).toBe("true");
    await destroy(two);
    expect(await acquire(key, three)).toBe("true");
    await Promise.all([destroy(one), destroy(three)]);
  });
});

const NO_LOCK = [undefined, 1];
