import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ManualClock, manualClock } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EmbeddedConsul, type EmbeddedConsulEvent, embeddedConsul } from "./embedded-consul.ts";

describe("the embedded Consul", () => {
  let dataDir = "";
  let clock: ManualClock;
  let server: EmbeddedConsul;
  let events: EmbeddedConsulEvent[];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "embedded-consul-"));
    clock = manualClock();
    events = [];
    server = await start();
  });
  afterEach(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const start = () => embeddedConsul({ dataDir, clock, random: () => 0, log: (event) => events.push(event) });
  async function call(method: string, path: string, body?: unknown) {
    const given = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const reply = await fetch(server.address + path, { method, ...given });
    return {
      status: reply.status,
      index: Number(reply.headers.get("x-consul-index")),
      text: await reply.text(),
    };
  }
  async function session(wanted: object): Promise<string> {
    return JSON.parse((await call("PUT", "/v1/session/create", wanted)).text).ID;
  }
  const sessions = async () => JSON.parse((await call("GET", "/v1/session/list")).text).length;

  it("ends a session between one and two TTLs after its last renewal", async () => {
    const id = await session({ TTL: "10s" });
    await clock.advance(10_000);
    expect((await call("PUT", `/v1/session/renew/${id}`)).status).toBe(200);
    await clock.advance(10_000);
    expect(await sessions()).toBe(1);
    await clock.advance(10_000);
    await vi.waitFor(() => expect(events).toContainEqual({ type: "consul.session-expired", session: id }));
    expect(await sessions()).toBe(0);
  });

  it("keeps KV, sessions with their TTL begun anew, locks and services over a restart", async () => {
    const id = await session({ TTL: "10s", Behavior: "delete" });
    await call("PUT", `/v1/kv/lock?acquire=${id}`, "me");
    await call("PUT", "/v1/agent/service/register", { Name: "web", Check: { TTL: "1h", Status: "passing" } });
    const before = await call("GET", "/v1/kv/?recurse");
    await clock.advance(9_000);
    await server.stop();
    server = await start();
    expect(await call("GET", "/v1/kv/?recurse")).toEqual(before);
    expect(JSON.parse((await call("GET", "/v1/health/service/web?passing")).text)).toHaveLength(1);
    await clock.advance(10_000);
    expect(await sessions()).toBe(1);
    await clock.advance(10_000);
    await vi.waitFor(async () => expect((await call("GET", "/v1/kv/lock")).status).toBe(404));
    expect(await sessions()).toBe(0);
  });

  it("counts its lock delay by the clock", async () => {
    const [one, two] = [await session({}), await session({})];
    const acquire = async () => (await call("PUT", `/v1/kv/lock?acquire=${two}`, "")).text;
    await call("PUT", `/v1/kv/lock?acquire=${one}`, "");
    await call("PUT", `/v1/session/destroy/${one}`);
    await clock.advance(14_999);
    expect(await acquire()).toBe("false");
    await clock.advance(1);
    expect(await acquire()).toBe("true");
  });

  it("delays the lock also for a request that arrives together with the end of the session", async () => {
    const [one, two] = [await session({}), await session({})];
    await call("PUT", `/v1/kv/lock?acquire=${one}`, "");
    const [, acquired] = await Promise.all([
      call("PUT", `/v1/session/destroy/${one}`),
      call("PUT", `/v1/kv/lock?acquire=${two}`, ""),
    ]);
    expect(acquired.text).toBe("false");
  });

  it("forgets a deletion after 15 minutes, so that the index of the list falls", async () => {
    await call("PUT", "/v1/kv/p/a", "1");
    await call("PUT", "/v1/kv/p/b", "1");
    const { index } = await call("GET", "/v1/kv/p/a");
    await call("DELETE", "/v1/kv/p/b");
    const listed = async () => (await call("GET", "/v1/kv/p/?keys")).index;
    await clock.advance(15 * 60_000);
    expect(await listed()).toBe(index + 2);
    await vi.waitFor(async () => {
      await clock.advance(30_000);
      expect(await listed()).toBe(index);
    });
  });

  it("removes a service whose check stays critical for too long, and no other", async () => {
    const after = { DeregisterCriticalServiceAfter: "1m" };
    await call("PUT", "/v1/agent/service/register", { Name: "bad", Check: { TTL: "30s", ...after } });
    await call("PUT", "/v1/agent/service/register", {
      Name: "good",
      Check: { TTL: "10h", Status: "passing", ...after },
    });
    await call("PUT", "/v1/agent/service/register", { Name: "saved", Check: { TTL: "10h", ...after } });
    await clock.advance(59_000);
    await call("PUT", "/v1/agent/check/pass/service:saved");
    await clock.advance(60_000);
    const names = async () => Object.keys(JSON.parse((await call("GET", "/v1/agent/services")).text));
    await vi.waitFor(async () => expect(await names()).toEqual(["good", "saved"]));
  });

  it("lets a TTL check expire after its time without news, and live again", async () => {
    await call("PUT", "/v1/agent/check/register", { ID: "c", Name: "c", TTL: "30s" });
    const check = async () => JSON.parse((await call("GET", "/v1/agent/checks")).text).c;
    await call("PUT", "/v1/agent/check/pass/c?note=fine");
    await clock.advance(29_000);
    await call("PUT", "/v1/agent/check/pass/c?note=fine");
    await clock.advance(29_000);
    expect(await check()).toMatchObject({ Status: "passing", Output: "fine" });
    await clock.advance(1_000);
    const output = "TTL expired (last output before timeout follows): fine";
    await vi.waitFor(async () => expect(await check()).toMatchObject({ Status: "critical", Output: output }));
    await call("PUT", "/v1/agent/check/pass/c");
    expect(await check()).toMatchObject({ Status: "passing", Output: "" });
    await clock.advance(30_000);
    await vi.waitFor(async () =>
      expect(await check()).toMatchObject({ Status: "critical", Output: "TTL expired" }),
    );
  });

  it("answers those who wait when it stops", async () => {
    const { index } = await call("GET", "/v1/kv/none");
    const waiting = call("GET", `/v1/kv/none?index=${index}`);
    await vi.waitFor(() => expect(clock.sleepers()).toBe(2));
    await server.stop();
    expect((await waiting).status).toBe(404);
    expect(events.map(({ type }) => type)).toEqual(["consul.started", "consul.stopped"]);
  });

  it("says in one sentence that its port is taken, and leaves the folder free", async () => {
    const other = await mkdtemp(join(tmpdir(), "embedded-consul-"));
    const again = embeddedConsul({ dataDir: other, port: server.port });
    await expect(again).rejects.toMatchObject({
      message: expect.stringMatching(
        /^The embedded Consul cannot listen on 127\.0\.0\.1:\d+: listen EADDRINUSE.*\.$/,
      ),
      cause: { code: "EADDRINUSE" },
    });
    await (await embeddedConsul({ dataDir: other })).stop();
    await rm(other, { recursive: true });
  });

  it("refuses what it does not have, rather than answer wrongly", async () => {
    expect(await call("GET", "/v1/catalog/services?filter=x")).toMatchObject({ status: 400 });
    expect(await call("PUT", `/v1/kv/${"k".repeat(4026)}`, "x")).toMatchObject({ status: 400 });
    expect(await call("GET", "/v1/kv/%FF")).toMatchObject({ status: 400 });
    const grpc = { Name: "g", Check: { GRPC: "127.0.0.1:1", Interval: "1s" } };
    expect(await call("PUT", "/v1/agent/service/register", grpc)).toMatchObject({ status: 400 });
  });
});
