import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { CommitId } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BuildRecord } from "../record.ts";
import { httpEndpoint } from "./http-endpoint.ts";

const BUILD: BuildRecord = {
  id: "f00d",
  app: "shop",
  repository: "/srv/shop.git",
  ref: "refs/heads/main",
  commit: "a".repeat(40) as CommitId,
  requestedAt: "2026-01-01T00:00:00.000Z",
  state: "requested",
  message: "",
  attempts: 0,
};

describe("a CI behind an endpoint", () => {
  let server: Server;
  let base = "";
  let seen: { headers: Record<string, unknown>; body: string }[] = [];
  let reply: { status: number; body: unknown } = { status: 202, body: "" };
  const { signal } = new AbortController();

  beforeEach(async () => {
    seen = [];
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response
        .writeHead(reply.status)
        .end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const endpoint = () => httpEndpoint({ url: `${base}/build?x=1`, secret: () => "hush", tls: {} });

  it("is sent the build, signed over the very bytes, with its id as the key of idempotency", async () => {
    reply = { status: 202, body: "taken" };
    expect(await endpoint().start(BUILD, signal)).toBeUndefined();
    const [{ headers, body } = { headers: {}, body: "" }] = seen;
    const signature = createHmac("sha256", "hush").update(body).digest("hex");
    expect(headers).toMatchObject({
      "x-sluice-signature-256": `sha256=${signature}`,
      "idempotency-key": "f00d",
    });
    expect(JSON.parse(body)).toEqual({
      id: "f00d",
      app: "shop",
      repository: "/srv/shop.git",
      ref: "refs/heads/main",
      branch: "main",
      commit: "a".repeat(40),
      before: null,
      requestedAt: BUILD.requestedAt,
    });
  });

  it("is followed where it says, if that is its own", async () => {
    reply = { status: 201, body: { statusUrl: `${base}/status/9?t=1` } };
    const handle = await endpoint().start(BUILD, signal);
    expect(handle).toBe("/status/9?t=1");
    reply = { status: 200, body: { state: "running", url: "https://ci.example.org/9" } };
    expect(await endpoint().follow(handle as string, BUILD, signal)).toEqual({
      kind: "running",
      handle,
      url: "https://ci.example.org/9",
    });
    reply = { status: 200, body: { state: "failed", message: "tests failed", url: "javascript:alert(1)" } };
    expect(await endpoint().follow(handle as string, BUILD, signal)).toEqual({
      kind: "done",
      result: "failed",
      message: "tests failed",
      url: undefined,
    });
  });

  it("is not led elsewhere by a path that looks like a server's name", async () => {
    reply = { status: 201, body: { statusUrl: `${base}//elsewhere.invalid/x` } };
    const handle = await endpoint().start(BUILD, signal);
    reply = { status: 200, body: { state: "running" } };
    expect(await endpoint().follow(handle as string, BUILD, signal)).toMatchObject({ kind: "running" });
  });

  it("is told that a build which is asked for once more is another one", async () => {
    await endpoint().start({ ...BUILD, repeats: 2 }, signal);
    expect(seen.map(({ headers }) => headers["idempotency-key"])).toEqual(["f00d-2"]);
  });

  it.each(["http://127.0.0.1:1/status", "//elsewhere.invalid/status", "file:///etc/passwd"])(
    "is not followed to %s",
    async (statusUrl) => {
      reply = { status: 200, body: { statusUrl } };
      expect(await endpoint().start(BUILD, signal)).toBeUndefined();
    },
  );

  it.each([
    [401, "CI_DENIED"],
    [403, "CI_DENIED"],
    [404, "CI_REFUSED"],
    [408, "CI_UNREACHABLE"],
    [429, "CI_UNREACHABLE"],
    [302, "CI_UNREACHABLE"],
    [500, "CI_UNREACHABLE"],
  ])("that answers %i is told as %s, without what it said", async (status, code) => {
    reply = { status, body: "secret words" };
    const failure = await endpoint()
      .start(BUILD, signal)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).not.toContain("secret words");
  });
});
