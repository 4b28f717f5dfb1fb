import { expect, it } from "vitest";
import { describeConsuls, freshPrefix, indexOf, json, type Reply } from "./consul-http-target.ts";

describeConsuls("blocking queries", (target) => {
  const get = (path: string) => target().call("GET", path);
  const put = (key: string, value: string) => target().call("PUT", `/v1/kv/${key}`, value);

  /** Asks with the path's present index, makes sure that it waits, then changes something. */
  async function waits(
    path: string,
    change: () => Promise<unknown>,
  ): Promise<{ before: Reply; after: Reply }> {
    const before = await get(path);
    const joint = path.includes("?") ? "&" : "?";
    let answered = false;
    const pending = get(`${path}${joint}index=${indexOf(before)}&wait=20s`).then((reply) => {
      answered = true;
      return reply;
    });
    // Some round trips: a query that does not wait would be answered by now.
    for (let n = 0; n < 3; n++) await get("/v1/status/leader");
    expect(answered).toBe(false);
    await change();
    return { before, after: await pending };
  }

  it("wakes at a change of the key", async () => {
    const key = `${freshPrefix()}a`;
    await put(key, "1");
    const { before, after } = await waits(`/v1/kv/${key}`, () => put(key, "2"));
    expect(json<{ Value: string }[]>(after)[0]?.Value).toBe("Mg==");
    expect(indexOf(after)).toBeGreaterThan(indexOf(before));
  });

  it("wakes at the creation and at the deletion of the key", async () => {
    const key = `${freshPrefix()}a`;
    const { before, after } = await waits(`/v1/kv/${key}`, () => put(key, "1"));
    expect([before.status, after.status]).toEqual([404, 200]);
    const gone = await waits(`/v1/kv/${key}`, () => target().call("DELETE", `/v1/kv/${key}`));
    expect(gone.after.status).toBe(404);
    expect(indexOf(gone.after)).toBeGreaterThan(indexOf(gone.before));
  });

  it.each(["?recurse", "?keys"])(
    "wakes at a new, a changed and a deleted key under the prefix: %s",
    async (mode) => {
      const prefix = freshPrefix();
      await put(`${prefix}a`, "1");
      const path = `/v1/kv/${prefix}${mode}`;
      const keys = (reply: Reply) =>
        json<(string | { Key: string })[]>(reply).map((one) => (typeof one === "string" ? one : one.Key));
      const created = await waits(path, () => put(`${prefix}sub/b`, "1"));
      expect(keys(created.after)).toEqual([`${prefix}a`, `${prefix}sub/b`]);
      const changed = await waits(path, () => put(`${prefix}a`, "2"));
      expect(indexOf(changed.after)).toBeGreaterThan(indexOf(created.after));
      const removed = await waits(path, () => target().call("DELETE", `/v1/kv/${prefix}sub/?recurse`));
      expect(keys(removed.after)).toEqual([`${prefix}a`]);
      expect(indexOf(removed.after)).toBeGreaterThan(indexOf(changed.after));
    },
  );

  it("does not wake for a neighbour or for an identical write", async () => {
    const prefix = freshPrefix();
    await put(`${prefix}a`, "1");
    const { after } = await waits(`/v1/kv/${prefix}a`, async () => {
      await put(`${prefix}a`, "1");
      await put(`${prefix}ab`, "1");
      for (let n = 0; n < 3; n++) await get("/v1/status/leader");
      await put(`${prefix}a`, "2");
    });
    expect(json<{ Value: string }[]>(after)[0]?.Value).toBe("Mg==");
  });

  it("wakes at a transaction", async () => {
    const prefix = freshPrefix();
    await put(`${prefix}a`, "1");
    const body = JSON.stringify([{ KV: { Verb: "set", Key: `${prefix}b`, Value: "MQ==" } }]);
    const { after } = await waits(`/v1/kv/${prefix}?keys`, () => target().call("PUT", "/v1/txn", body));
    expect(json(after)).toEqual([`${prefix}a`, `${prefix}b`]);
  });

  it("answers unchanged when the wait is over", async () => {
    const key = `${freshPrefix()}a`;
    await put(key, "1");
    const before = await get(`/v1/kv/${key}`);
    const after = await get(`/v1/kv/${key}?index=${indexOf(before)}&wait=50ms`);
    expect([after.status, after.text, indexOf(after)]).toEqual([200, before.text, indexOf(before)]);
  });

  it("answers at once when the index is older, and for index 0", async () => {
    const key = `${freshPrefix()}a`;
    await put(key, "1");
    const index = indexOf(await get(`/v1/kv/${key}`));
    expect(indexOf(await get(`/v1/kv/${key}?index=${index - 1}&wait=60s`))).toBe(index);
    expect(indexOf(await get(`/v1/kv/${key}?index=0&wait=60s`))).toBe(index);
  });

  it("never lets a watcher sleep through a change, however fast they come", async () => {
    const at = freshPrefix();
    const last = 150;
    async function follow(path: string): Promise<number> {
      let index = 0;
      let sleptThrough = 0;
      for (;;) {
        const reply = await get(`${path}index=${index}&wait=3s`);
        if (index > 0 && indexOf(reply) <= index) sleptThrough++;
        index = indexOf(reply);
        if (reply.text.includes(`"Value":"${Buffer.from(`${last}`).toString("base64")}"`))
          return sleptThrough;
      }
    }
    await put(`${at}a`, "0");
    const paths = [
      `/v1/kv/${at}a?`,
      `/v1/kv/${at}?recurse&`,
      `/v1/kv/${at}a?`,
      `/v1/kv/${at.slice(0, 5)}?recurse&`,
    ];
    const followers = paths.map(follow);
    for (let n = 1; n <= last; n++) await Promise.all([put(`${at}a`, `${n}`), put(`${at}b`, `other ${n}`)]);
    expect(await Promise.all(followers)).toEqual([0, 0, 0, 0]);
  });

  it("wakes session lists at a new session", async () => {
    const { after } = await waits("/v1/session/list", () => target().call("PUT", "/v1/session/create", "{}"));
    expect(json<unknown[]>(after).length).toBeGreaterThan(0);
  });

  it.each([
    ["/v1/catalog/services", "services"],
    ["/v1/catalog/service/NAME", "service"],
    ["/v1/health/service/NAME", "health"],
    ["/v1/catalog/node/NAME-node", "node"],
    ["/v1/catalog/nodes", "nodes"],
    ["/v1/health/node/NAME-node", "checks"],
    ["/v1/health/state/any", "state"],
    ["/v1/health/checks/NAME", "checks"],
  ])("wakes %s at a registration", async (path) => {
    const name = `w${freshPrefix().slice(0, -1)}`;
    const registration = {
      Node: `${name}-node`,
      Address: "10.0.0.1",
      Service: { Service: name, Port: 1 },
      Check: { Name: "c", Status: "passing", ServiceID: name },
    };
    const { before, after } = await waits(path.replace("NAME", name), () =>
      target().call("PUT", "/v1/catalog/register", JSON.stringify(registration)),
    );
    expect(after.text).not.toBe(before.text);
    expect(after.text).toContain(name);
    await target().call("PUT", "/v1/catalog/deregister", JSON.stringify({ Node: `${name}-node` }));
  });

  it("wakes the health of a service at a change of its check, and at its end", async () => {
    const name = `w${freshPrefix().slice(0, -1)}`;
    const register = (Status: string) =>
      target().call(
        "PUT",
        "/v1/catalog/register",
        JSON.stringify({
          Node: name,
          Address: "10.0.0.1",
          Service: { Service: name },
          Check: { Name: "c", Status, ServiceID: name },
        }),
      );
    await register("passing");
    const path = `/v1/health/service/${name}?passing`;
    const failed = await waits(path, () => register("critical"));
    expect([json<unknown[]>(failed.before).length, json(failed.after)]).toEqual([1, []]);
    const back = await waits(path, () => register("passing"));
    expect(json<unknown[]>(back.after)).toHaveLength(1);
    const gone = await waits(path, () =>
      target().call("PUT", "/v1/catalog/deregister", JSON.stringify({ Node: name })),
    );
    expect(json(gone.after)).toEqual([]);
    expect(indexOf(gone.after)).toBeGreaterThan(indexOf(gone.before));
  });
});
