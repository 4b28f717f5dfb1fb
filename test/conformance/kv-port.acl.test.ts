import { randomUUID } from "node:crypto";
import { type ConsulKv, consulKv } from "@sluice/consul";
import type { Kv } from "@sluice/core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";

const MASTER = randomUUID();
const RULES = `
key_prefix "" { policy = "deny" }
key_prefix "files/" { policy = "list" }
key_prefix "files/hidden/" { policy = "deny" }
key "locks/leader" { policy = "write" }
session_prefix "" { policy = "write" }
`;

describeWithServer("consulKv on a real Consul with rules", { consul: hasConsul() }, () => {
  let server: RealConsul | undefined;
  let master: ConsulKv;
  let reader: ConsulKv;

  beforeAll(async () => {
    server = await startRealConsul({
      config: {
        // The servers without a header for filtered lists can be told to refuse them instead.
        acl: {
          enabled: true,
          default_policy: "allow",
          enable_key_list_policy: true,
          tokens: { master: MASTER },
        },
      },
    });
    const address = server?.address ?? "";
    const [{ ID }] = [await admin<{ ID: string }>(address, "policy", { Name: "reader", Rules: RULES })];
    const token = await admin<{ SecretID: string }>(address, "token", { Policies: [{ ID }] });
    master = consulKv({ address, token: MASTER });
    reader = consulKv({ address, token: token.SecretID });
    const value = Buffer.from("1");
    await master.commit(
      ["files/a", "files/hidden/b", "secret/c"].map((key) => ({ verb: "set", key, value }) as const),
    );
  });
  afterAll(async () => {
    await Promise.all([master?.close(), reader?.close()]);
    await server?.stop();
  });

  it("what may be read is read", async () => {
    expect([...(await reader.getMany(["files/a", "files/none"])).keys()]).toEqual(["files/a"]);
    expect(await reader.get("files/none")).toBe(undefined);
    expect((await reader.list("files/a/")).length).toBe(0);
  });

  const value = Buffer.from("2");
  const refused: [what: string, code: string, call: (kv: Kv) => Promise<unknown>][] = [
    ["a key that must not be read", "KV_DENIED", (kv) => kv.get("secret/c")],
    ["an absent key that must not be read", "KV_DENIED", (kv) => kv.get("secret/none")],
    ["keys of which one must not be read", "KV_FILTERED", (kv) => kv.getMany(["files/a", "secret/c"])],
    ["a prefix that must not be listed", "KV_DENIED", (kv) => kv.list("secret/")],
    [
      "a prefix whose names must not be listed",
      "KV_DENIED",
      (kv) => kv.namesUnlessWritten("secret/", "999999999"),
    ],
    ["a write without the rule", "KV_DENIED", (kv) => kv.commit([{ verb: "set", key: "files/a", value }])],
    [
      "a conditional write without the rule",
      "KV_DENIED",
      (kv) => kv.commit([{ verb: "cas", key: "files/a", value, index: "1" }]),
    ],
    ["a delete without the rule", "KV_DENIED", (kv) => kv.commit([{ verb: "delete", key: "files/a" }])],
    [
      "a check of a key that must not be read",
      "KV_DENIED",
      (kv) => kv.commit([{ verb: "check-index", key: "secret/c", index: "1" }]),
    ],
    ["a large write without the rule", "KV_DENIED", (kv) => kv.putLarge("files/a", value, "0")],
    [
      "a lock without the rule",
      "KV_DENIED",
      (kv) =>
        kv.lock("locks/other", { ttlMs: 10_000, lockDelayMs: 0, holder: "me" }, new AbortController().signal),
    ],
  ];
  it.each(refused)("%s throws %s", async (_, code, call) => {
    const error = await call(reader).catch((one: unknown) => one);
    expect(error).toMatchObject({ code });
    expect((await master.list("files/")).map(({ key }) => key)).toEqual(["files/a", "files/hidden/b"]);
  });

  it("an unknown token is refused", async () => {
    const stranger = consulKv({ address: server?.address ?? "", token: randomUUID() });
    const error = await stranger.get("files/a").catch((one: unknown) => one);
    await stranger.close();
    expect(error).toMatchObject({ code: "KV_DENIED" });
  });

  it("the rules for one lock are enough to take it, and to fence with it", async () => {
    const options = { ttlMs: 10_000, lockDelayMs: 0, holder: "reader" };
    const lock = await reader.lock("locks/leader", options, new AbortController().signal);
    expect((await reader.commit([], { fence: lock.fence })).applied).toBe(true);
    await lock.release();
  });

  it("a session that Consul ends loses the lock, and the next holder waits out the delay", async () => {
    const options = { ttlMs: 10_000, lockDelayMs: 1, holder: "first" };
    const lock = await master.lock("locks/leader", options, new AbortController().signal);
    const next = reader.lock("locks/leader", { ...options, holder: "second" }, new AbortController().signal);
    const address = server?.address ?? "";
    await fetch(`${address}/v1/session/destroy/${lock.fence.session}`, {
      method: "PUT",
      headers: { "x-consul-token": MASTER },
    });
    const second = await next;
    await vi.waitFor(() => expect(lock.lost.reason).toMatchObject({ code: "LOCK_LOST" }));
    const late = master.commit([{ verb: "set", key: "files/a", value }], { fence: lock.fence });
    await expect(late).rejects.toMatchObject({ code: "LOCK_LOST" });
    expect(second.lost.aborted).toBe(false);
    await second.release();
  });
});

async function admin<T>(address: string, what: "policy" | "token", body: object): Promise<T> {
  const headers = { "x-consul-token": MASTER };
  for (let attempt = 0; ; attempt++) {
    const init = { method: "PUT", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${address}/v1/acl/${what}`, init);
    if (answer.ok) return (await answer.json()) as T;
    // The ACL system starts a moment after the leader is elected.
    if (attempt === 100) throw new Error(`${what}: ${await answer.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
