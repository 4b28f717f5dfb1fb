import { createHash, createHmac } from "node:crypto";
import { manualClock } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NoticeKind } from "../notice/kinds.ts";
import { type HttpStandIn, httpStandIn } from "../testing/http-stand-in.ts";
import { aNotice, COMMIT, NOW } from "../testing/notices.ts";
import { type CommitHost, commitStatus } from "./commit-status.ts";
import { webhook } from "./webhook.ts";

const never = new AbortController().signal;
let server: HttpStandIn;

beforeEach(async () => {
  server = await httpStandIn();
});
afterEach(() => server.stop());

describe("a webhook", () => {
  const open = (secret?: string) =>
    webhook({
      url: `${server.url}/events`,
      secret: secret === undefined ? undefined : () => secret,
      source: "/sluice",
      clock: manualClock(NOW),
    });

  it("is posted a CloudEvent whose id and body stay the same when it is sent again", async () => {
    const channel = open();
    await channel.post(aNotice(), never);
    await channel.post(aNotice(), never);
    const [first, second] = server.received;
    expect(second?.body).toBe(first?.body);
    expect(first?.headers).toMatchObject({
      "content-type": "application/cloudevents+json; charset=utf-8",
      "webhook-id": "n1",
    });
    const { id: _, kind, environment, at, revision, ...rest } = aNotice();
    expect(JSON.parse(first?.body ?? "")).toEqual({
      ...{ specversion: "1.0", id: "n1", source: "/sluice", type: "io.sluice.deployment.degraded" },
      ...{ subject: "production", time: at, datacontenttype: "application/json" },
      data: { kind, environment, revision, ...rest },
    });
    expect(first?.headers["webhook-signature"]).toBeUndefined();
  });

  it.each([
    ["a text", "It's a Secret to Everybody", Buffer.from("It's a Secret to Everybody")],
    ["a Standard Webhooks key", `whsec_${Buffer.alloc(24, 7).toString("base64")}`, Buffer.alloc(24, 7)],
  ])("is signed with %s", async (_, secret, key) => {
    await open(secret).post(aNotice(), never);
    const [{ headers, body }] = server.received as [(typeof server.received)[number]];
    const signed = `n1.${NOW / 1_000}.${body}`;
    expect(headers["webhook-timestamp"]).toBe(String(NOW / 1_000));
    expect(headers["webhook-signature"]).toBe(
      `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
    );
    expect(headers["x-sluice-signature-256"]).toBe(
      `sha256=${createHmac("sha256", key).update(body).digest("hex")}`,
    );
  });
});

const KEY = createHash("sha1").update("deploy/production").digest("hex");

describe("a commit status", () => {
  const open = (host: CommitHost, more: object = {}) =>
    commitStatus({
      ...{ host, api: `${server.url}/`, repository: "team/shop", token: () => "t0ken\n", context: "deploy" },
      clock: manualClock(NOW),
      ...more,
    });

  it.each([
    ["github", `/repos/team/shop/statuses/${COMMIT}`, { authorization: "Bearer t0ken" }],
    ["gitlab", `/api/v4/projects/team%2Fshop/statuses/${COMMIT}`, { "private-token": "t0ken" }],
    ["gitea", `/api/v1/repos/team/shop/statuses/${COMMIT}`, { authorization: "token t0ken" }],
    [
      "bitbucket",
      `/2.0/repositories/team/shop/commit/${COMMIT}/statuses/build`,
      { authorization: "Bearer t0ken" },
    ],
    [
      "bitbucket-server",
      `/rest/api/latest/projects/team/repos/shop/commits/${COMMIT}/builds`,
      { authorization: "Bearer t0ken", "x-atlassian-token": "no-check" },
    ],
  ] as const)("of %s is posted where it belongs", async (host, path, headers) => {
    expect(await open(host).post(aNotice(), never)).toEqual({ kind: "sent" });
    expect(server.received).toEqual([
      { method: "POST", path, headers: expect.objectContaining(headers), body: expect.any(String) },
    ]);
    expect(JSON.parse(server.received[0]?.body ?? "")).toEqual(
      {
        github: { state: "failure", ...SAID, context: "deploy/production", target_url: URL_OF },
        gitlab: { state: "failed", ...SAID, name: "deploy/production", ref: "main", target_url: URL_OF },
        gitea: { state: "failure", ...SAID, context: "deploy/production", target_url: URL_OF },
        bitbucket: { state: "FAILED", ...SAID, key: KEY, name: "deploy/production", url: URL_OF },
        "bitbucket-server": {
          ...{ state: "FAILED", ...SAID, key: KEY, name: "deploy/production", url: URL_OF },
          ref: "refs/heads/main",
        },
      }[host],
    );
  });

  it.each([
    ["deployment.started", "pending"],
    ["deployment.healthy", "success"],
    ["deployment.degraded", "failure"],
    ["deployment.stalled", "failure"],
    ["deployment.superseded", "error"],
  ] as const)("for %s is %s at GitHub", async (kind: NoticeKind, state) => {
    await open("github").post(aNotice({ kind, message: "" }), never);
    const body = JSON.parse(server.received[0]?.body ?? "");
    expect(body.state).toBe(state);
    expect(body.description).toBe(`${kind.slice("deployment.".length)} in 5m2s`);
  });

  it("is posted of deployments alone", async () => {
    expect(await open("github").post(aNotice({ kind: "job.failed" }), never)).toEqual({ kind: "skipped" });
    const { revision: _, ...without } = aNotice();
    expect(await open("github").post(without, never)).toEqual({ kind: "skipped" });
    expect(server.received).toEqual([]);
  });

  it("has a description of at most 140 characters and a password where there is a user", async () => {
    await open("bitbucket", { username: "robot" }).post(aNotice({ message: "é".repeat(500) }), never);
    const [{ headers, body }] = server.received as [(typeof server.received)[number]];
    expect(JSON.parse(body).description).toBe(`${"é".repeat(139)}…`);
    expect(headers.authorization).toBe(`Basic ${Buffer.from("robot:t0ken").toString("base64")}`);
  });

  it("that GitLab has already counts as posted; other refusals do not", async () => {
    server.answer = () => ({
      status: 400,
      body: '{"message":"Cannot transition status via :enqueue from :pending"}',
    });
    expect(await open("gitlab").post(aNotice(), never)).toEqual({ kind: "sent" });
    server.answer = () => ({ status: 400, body: "{}" });
    expect(await open("gitlab").post(aNotice(), never)).toMatchObject({ kind: "refused" });
  });
});

const URL_OF = "https://sluice.example/production";
const SAID = { description: "apps/shop/web: not healthy within 5m" };
