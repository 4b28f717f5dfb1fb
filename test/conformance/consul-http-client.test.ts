import Consul from "consul";
import { expect, it, vi } from "vitest";
import { describeConsuls, freshPrefix } from "./consul-http-target.ts";

/** The npm client's own type for an item lacks nothing we use. */
interface Item {
  Key: string;
  Value: string;
  ModifyIndex: number;
  Session?: string;
}

describeConsuls("the npm client", (target) => {
  function client() {
    const { hostname, port } = new URL(target().address);
    return new Consul({ host: hostname, port: Number(port) });
  }

  it("sets, gets, lists and deletes", async () => {
    const { kv } = client();
    const at = freshPrefix();
    expect(await kv.get(`${at}a`)).toBeUndefined();
    expect(await kv.set(`${at}a`, "hello")).toBe(true);
    // The client turns the answer `false` into undefined.
    expect(await kv.set({ key: `${at}a`, value: "x", cas: 0 })).toBeUndefined();
    expect(await kv.get(`${at}a`)).toMatchObject({ Key: `${at}a`, Value: "hello", Flags: 0 });
    expect(await kv.keys(at)).toEqual([`${at}a`]);
    expect(await kv.del({ key: at, recurse: true })).toBe(true);
    expect(await kv.get(`${at}a`)).toBeUndefined();
    await expect(kv.keys(at)).rejects.toMatchObject({ statusCode: 404 });
  });

  it("locks through a session", async () => {
    const { kv, session } = client();
    const key = `${freshPrefix()}lock`;
    const { ID } = (await session.create({ ttl: "10s", lockdelay: "0s" })) as { ID: string };
    expect(await kv.set({ key, value: "me", acquire: ID })).toBe(true);
    expect(((await kv.get(key)) as unknown as Item).Session).toBe(ID);
    await session.renew(ID);
    expect(await kv.set({ key, value: "me", release: ID })).toBe(true);
    await session.destroy(ID);
    await expect(kv.set({ key, value: "me", acquire: ID })).rejects.toMatchObject({ statusCode: 500 });
  });

  it("tells of a transaction that was rolled back", async () => {
    const Key = `${freshPrefix()}none`;
    // The client's types know only one form of its arguments, which is not the one it sends.
    const operations = [{ KV: { Verb: "get", Key } }] as never;
    await expect(client().transaction.create(operations)).rejects.toMatchObject({
      statusCode: 409,
      response: { body: { Errors: [{ OpIndex: 0, What: `key "${Key}" doesn't exist` }] } },
    });
  });

  it("watches", async () => {
    const consul = client();
    const key = `${freshPrefix()}a`;
    await consul.kv.set(key, "1");
    const seen: (string | undefined)[] = [];
    const watch = consul.watch({ method: consul.kv.get, options: { key } as never });
    watch.on("change", (item?: Item) => seen.push(item?.Value));
    watch.on("error", (error) => seen.push(String(error)));
    await vi.waitFor(() => expect(seen).toEqual(["1"]), 10_000);
    await consul.kv.set(key, "2");
    await vi.waitFor(() => expect(seen).toEqual(["1", "2"]), 10_000);
    await consul.kv.del(key);
    await vi.waitFor(() => expect(seen).toEqual(["1", "2", undefined]), 10_000);
    watch.end();
  });

  it("registers a service with a check", async () => {
    const { agent, health } = client();
    const name = freshPrefix().slice(0, -1);
    await agent.service.register({
      name,
      port: 80,
      tags: ["a"],
      check: { ttl: "1h", status: "passing" },
    } as never);
    const find = async () => (await health.service({ service: name, passing: true } as never)) as unknown[];
    await vi.waitFor(async () => expect(await find()).toHaveLength(1), 10_000);
    await agent.service.deregister(name);
    await vi.waitFor(async () => expect(await find()).toEqual([]), 10_000);
  });
});
