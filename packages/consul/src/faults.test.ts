import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import type { Kv } from "@sluice/core";
import { afterEach, expect, it } from "vitest";
import { type ConsulKvOptions, consulKv } from "./consul-kv.ts";
import {
  type Answer,
  absentAnswer,
  type Fault,
  keyAnswer,
  scriptedConsul,
} from "./testing/scripted-consul.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function against(script: Parameters<typeof scriptedConsul>[0], options: Partial<ConsulKvOptions> = {}) {
  const server = await scriptedConsul(script);
  const kv = consulKv({ address: server.address, timeoutMs: 5_000, ...options });
  cleanups.push(
    () => server.stop(),
    () => kv.close(),
  );
  return { kv, server };
}

const SET = [{ verb: "set", key: "a", value: Buffer.from("1") }] as const;

const calls: [name: string, call: (kv: Kv) => Promise<unknown>][] = [
  ["get", (kv) => kv.get("a/b")],
  ["getMany", (kv) => kv.getMany(["a/b", "a/c"])],
  ["list", (kv) => kv.list("a/")],
  ["commit", (kv) => kv.commit(SET)],
  ["putLarge", (kv) => kv.putLarge("a/b", Buffer.from("1"), "0")],
  [
    "lock",
    (kv) => kv.lock("a/b", { ttlMs: 10_000, lockDelayMs: 0, holder: "me" }, new AbortController().signal),
  ],
];

const failures: [what: string, answer: Answer | Fault, code: string][] = [
  ["no leader", { status: 500, body: "No cluster leader" }, "KV_UNREACHABLE"],
  ["a failed RPC", { status: 500, body: "rpc error making call: EOF" }, "KV_UNREACHABLE"],
  [
    "too many requests",
    { status: 429, body: "Your IP is issuing too many concurrent connections" },
    "KV_UNREACHABLE",
  ],
  [
    "a broken gateway",
    { status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad</h1>" },
    "KV_UNREACHABLE",
  ],
  ["an overloaded server", { status: 503, body: "leader only" }, "KV_UNREACHABLE"],
  ["a reset connection", "reset", "KV_UNREACHABLE"],
  ["an answer that is cut off", "cut", "KV_UNREACHABLE"],
  ["another server's empty page", { status: 200, body: "" }, "KV_UNREACHABLE"],
  [
    "another server's page",
    { status: 200, headers: { "content-type": "text/html" }, body: "<h1>Log in</h1>" },
    "KV_UNREACHABLE",
  ],
  ["a refused token", { status: 403, body: "ACL not found" }, "KV_DENIED"],
  ["a missing rule", { status: 403, body: "Permission denied" }, "KV_DENIED"],
  ["a malformed request", { status: 400, body: "Conflicting flags" }, "KV_INVALID"],
  [
    "an answer that is filtered",
    { ...absentAnswer(7), headers: { "x-consul-index": "7", "x-consul-results-filtered-by-acls": "true" } },
    "KV_FILTERED",
  ],
];
const everyFailure = failures.flatMap(([what, answer, code]) =>
  calls.map(([name, call]) => ({ what, answer, code, name, call })),
);

it.each(everyFailure.filter(({ code, name }) => code !== "KV_FILTERED" || name === "get" || name === "list"))(
  "$name answered by $what throws $code",
  async ({ answer, code, call }) => {
    const { kv } = await against(() => answer, { token: "very-secret-token" });
    const error = await call(kv).catch((one: unknown) => one);
    expect(error).toMatchObject({ name: "SluiceError", code });
    expect(inspect(error, { depth: 9 })).not.toContain("very-secret-token");
  },
);

it.each(["text/plain", "text/html", "application/octet-stream", undefined])(
  "the reason an answer of the type %s gives is told as text",
  async (type) => {
    const headers = type === undefined ? {} : { "content-type": type };
    const { kv } = await against(() => ({ status: 500, headers, body: "No cluster leader" }));
    for (const call of [kv.get("a"), kv.list("a/"), kv.commit(SET)])
      await expect(call).rejects.toThrow(/\(500\): No cluster leader$/);
  },
);

it.each(calls)("%s that is never answered ends by the timeout, and is not sent again", async (_, call) => {
  const { kv, server } = await against(() => "hang", { timeoutMs: 60 });
  await expect(call(kv)).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
  const asked = server.seen.map(({ method, path }) => `${method} ${path}`);
  expect(asked.length).toBe(new Set(asked).size);
});

it.each(calls)("%s on a port where nobody listens is unreachable", async (_, call) => {
  const { kv, server } = await against(() => "hang");
  await server.stop();
  await expect(call(kv)).rejects.toMatchObject({
    code: "KV_UNREACHABLE",
    message: expect.stringMatching(/ECONNREFUSED/),
  });
});

it.each(calls.slice(0, 5))("%s under way ends at once when the adapter is closed", async (_, call) => {
  const { kv } = await against(() => {
    void kv.close();
    return "hang";
  });
  await expect(call(kv)).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
  await expect(call(kv)).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
});

it("a commit whose answer is lost is unreachable, applied, and not sent again", async () => {
  let value = "";
  const { kv, server } = await against(({ path, body }) => {
    if (path !== "/txn") return keyAnswer("a", value, 7);
    value = Buffer.from(JSON.parse(body)[0].KV.Value, "base64").toString();
    return "reset";
  });
  await expect(kv.commit(SET)).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
  expect(Buffer.from((await kv.get("a"))?.value ?? []).toString()).toBe("1");
  expect(server.seen.filter(({ path }) => path === "/txn").length).toBe(1);
});

it("a read is sent again when the kept-alive connection turns out to be closed, a commit is not", async () => {
  const { kv, server } = await against((_, number) =>
    number === 1 || number === 3 ? keyAnswer("a", "1", 7) : "reset",
  );
  await kv.get("a");
  const script = await kv.get("a");
  expect(script?.modifyIndex).toBe("7");
  expect(server.seen.length).toBe(3);
  await expect(kv.commit(SET)).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
  expect(server.seen.length).toBe(4);
});

it.each<[what: string, answer: Answer]>([
  ["a 404 without an index", { status: 404, body: "page not found" }],
  ["a page instead of JSON", { headers: { "content-type": "text/html" }, body: "<h1>Welcome</h1>" }],
  ["broken JSON", { headers: { "content-type": "application/json", "x-consul-index": "7" }, body: "[{" }],
  ["another key", keyAnswer("other", "1", 7)],
  ["no index", { ...keyAnswer("a/b", "1", 7), headers: {} }],
])("%s is no answer of Consul's, and never taken for an absent key", async (_, answer) => {
  const { kv } = await against(() => answer);
  await expect(kv.get("a/b")).rejects.toMatchObject({ code: "KV_UNREACHABLE" });
});

it("an empty list is asked for again, of a leader that knows it is one", async () => {
  const { kv, server } = await against(({ query }) =>
    query.consistent === undefined ? absentAnswer(7) : keyAnswer("a/b", "1", 9),
  );
  expect((await kv.list("a/")).map((entry) => entry.key)).toEqual(["a/b"]);
  // Each with a key beside it that tells whether the prefix may be read at all.
  expect(server.seen.map(({ query }) => query)).toEqual([
    { recurse: "true" },
    {},
    { recurse: "true", consistent: "1" },
    {},
  ]);
});

it.each([
  ["an empty list", [] as const],
  ["a list", [keyAnswer("a/b", "1", 7)] as const],
])("%s counts for nothing where a key beside it may not be read", async (_, [found]) => {
  const { kv } = await against(({ query }) =>
    query.recurse === undefined ? { status: 403, body: "Permission denied" } : (found ?? absentAnswer(7)),
  );
  await expect(kv.list("a/")).rejects.toMatchObject({
    code: "KV_DENIED",
    message: expect.stringContaining(`the token needs: key_prefix "a/" { policy = "list" }`) as string,
  });
});

it("only prefixes with a slash at their end can be listed", async () => {
  const { kv, server } = await against(() => absentAnswer(7));
  await expect(kv.list("a")).rejects.toMatchObject({ code: "KV_INVALID" });
  await expect(kv.list("")).rejects.toMatchObject({ code: "KV_INVALID" });
  expect(server.seen).toEqual([]);
});

it("keys keep their slashes on the way, and nothing else that a URL would take for its own", async () => {
  const { kv, server } = await against(() => absentAnswer(7));
  await kv.get("a/b=20c?d#e%");
  expect(server.seen.map(({ path }) => path)).toEqual(["/kv/a/b%3D20c%3Fd%23e%25"]);
});

it("a token file that was rewritten is read again when Consul refuses the old token", async () => {
  const folder = await mkdtemp(join(tmpdir(), "token-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "first\n");
  const { kv, server } = await against(
    ({ token }) => (token === "second" ? keyAnswer("a", "1", 7) : { status: 403, body: "ACL not found" }),
    { tokenFile, datacenter: "east" },
  );
  await expect(kv.get("a")).rejects.toMatchObject({ code: "KV_DENIED" });
  await writeFile(tokenFile, "second\n");
  expect((await kv.get("a"))?.modifyIndex).toBe("7");
  expect(server.seen.map(({ token, query }) => [token, query.dc])).toEqual([
    ["first", "east"],
    ["first", "east"],
    ["second", "east"],
  ]);
});

it.each([
  { address: "127.0.0.1:8500" },
  { address: "ftp://127.0.0.1" },
  { address: "http://127.0.0.1:8500", tokenFile: "/nowhere/token" },
  { address: "https://127.0.0.1:8500", ca: "/nowhere/ca.pem" },
])("the settings %o cannot be used", (options) => {
  expect(() => consulKv(options)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
});
