import { createHmac } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProviderName } from "./provider.ts";
import { fixture, genuine, hmacHex, SECRET, type WebhookBench, webhookBench } from "./webhook-bench.ts";

const environments = { production: "https://github.com/acme/deploy" };
const REFUSED = {
  status: 403,
  body: {
    code: "WEBHOOK_REFUSED",
    message: "this webhook is refused",
    hint: "The engine's log says which; `docs/webhooks.md` tells how to set it up.",
  },
};
const sha1 = (body: string) => createHmac("sha1", SECRET).update(body).digest("hex");

describe("a webhook's signature", () => {
  let bench: WebhookBench;
  beforeAll(async () => {
    bench = await webhookBench({ environments, maxBodyBytes: 64 * 1024 });
  });
  afterAll(() => bench.stop());

  const body = fixture("github-push");
  const hex = hmacHex(body);
  const flipped = hex.replace(/^./, (c) => (c === "0" ? "1" : "0"));
  const prefixed = (name: string): [string, OutgoingHttpHeaders][] => [
    ["no header", {}],
    ["an empty header", { [name]: "" }],
    ["an empty signature", { [name]: "sha256=" }],
    ["no algorithm", { [name]: hex }],
    ["SHA-1", { [name]: `sha1=${sha1(body)}` }],
    ["SHA-1 under SHA-256's name", { [name]: `sha256=${sha1(body)}` }],
    ["an algorithm nobody knows", { [name]: `none=${hex}` }],
    ["one digit changed", { [name]: `sha256=${flipped}` }],
    ["a digit too few", { [name]: `sha256=${hex.slice(1)}` }],
    ["more after it", { [name]: `sha256=${hex}00` }],
    ["another secret", { [name]: `sha256=${hmacHex(body, "other")}` }],
    ["an empty secret", { [name]: `sha256=${hmacHex(body, "")}` }],
    ["two headers, one of them right", { [name]: [`sha256=${hex}`, `sha256=${flipped}`] }],
    ["two headers, both right", { [name]: [`sha256=${hex}`, `sha256=${hex}`] }],
    ["two in one header", { [name]: `sha256=${flipped}, sha256=${hex}` }],
    ["the secret itself", { [name]: SECRET }],
  ];
  const plain = (name: string): [string, OutgoingHttpHeaders][] => [
    ["no header", {}],
    ["an empty header", { [name]: "" }],
    ["a prefix with nothing", { [name]: "sha256=" }],
    ["a prefix", { [name]: `sha256=${hex}` }],
    ["SHA-1", { [name]: sha1(body) }],
    ["one digit changed", { [name]: flipped }],
    ["an empty secret", { [name]: hmacHex(body, "") }],
    ["two headers, one of them right", { [name]: [hex, flipped] }],
  ];
  const refusedOf: [ProviderName, [string, OutgoingHttpHeaders][]][] = [
    [
      "github",
      [
        ...prefixed("x-hub-signature-256"),
        ["only SHA-1's header", { "x-hub-signature": `sha1=${sha1(body)}` }],
      ],
    ],
    ["bitbucket", prefixed("x-hub-signature")],
    ["bitbucket-server", prefixed("x-hub-signature")],
    ["gitea", plain("x-gitea-signature")],
    ["gitea", plain("x-forgejo-signature")],
    [
      "gitea",
      [
        [
          "an empty signature of Forgejo beside a right one",
          { "x-forgejo-signature": "", "x-gitea-signature": hex },
        ],
      ],
    ],
    [
      "gitlab",
      [
        ["no header", {}],
        ["an empty token", { "x-gitlab-token": "" }],
        ["a wrong token", { "x-gitlab-token": "other" }],
        ["a longer token", { "x-gitlab-token": `${SECRET}!` }],
        ["a token in other letters", { "x-gitlab-token": SECRET.toUpperCase() }],
        ["two tokens", { "x-gitlab-token": [SECRET, "other"] }],
      ],
    ],
  ];
  const table = refusedOf.flatMap(([provider, cases]) =>
    cases.map(([what, headers]): [ProviderName, string, OutgoingHttpHeaders] => [provider, what, headers]),
  );

  it.each(table)("of %s with %s is refused, and the sender is not told why", async (provider, _, headers) => {
    const events = { "x-github-event": "push", "x-gitea-event": "push", "x-event-key": "repo:push" };
    expect(await bench.post(`/hooks/${provider}`, body, { ...events, ...headers })).toEqual(REFUSED);
    expect(bench.fetches()).toEqual({});
  });

  it("is checked on the bytes as they came: one more space is another body", async () => {
    for (const provider of ["github", "gitea", "bitbucket", "bitbucket-server"] as const)
      expect(await bench.post(`/hooks/${provider}`, `${body} `, genuine(provider, body))).toEqual(REFUSED);
  });

  it("is the one GitHub's documentation gives for its example", async () => {
    const signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const headers = { "x-github-event": "push", "x-hub-signature-256": `sha256=${signature}` };
    // 400, not 403: it is genuine, and no JSON.
    expect((await bench.post("/hooks/github", "Hello, World!", headers)).status).toBe(400);
  });

  it("of a form is made over the form", async () => {
    const form = new URLSearchParams({ payload: body }).toString();
    const type = { "content-type": "application/x-www-form-urlencoded" };
    expect((await bench.deliver("github", form, type)).body.outcome).toBe("accepted");
    const overPayload = { ...type, ...genuine("github", body) };
    expect(await bench.post("/hooks/github", form, overPayload)).toEqual(REFUSED);
    expect((await bench.deliver("github", "other=1", type)).status).toBe(400);
  });

  it.each<[ProviderName, string | undefined]>([
    ["github", "text/plain"],
    ["gitlab", "application/x-www-form-urlencoded"],
    ["gitea", "application/x-www-form-urlencoded"],
    ["bitbucket", "application/xml"],
    ["bitbucket-server", "application/jsonp"],
  ])("does not help %s with a body of type %s", async (provider, type) => {
    const answer = await bench.deliver(provider, body, { "content-type": type });
    expect(answer.status).toBe(415);
  });

  it("does not help a body that is too large", async () => {
    const large = JSON.stringify({ ...JSON.parse(body), padding: "x".repeat(64 * 1024) });
    expect((await bench.deliver("github", large)).status).toBe(413);
    const chunked = await bench.deliver("github", large, { "transfer-encoding": "chunked" });
    expect(chunked.status).toBe(413);
  });
});

it("a body of several megabytes is taken, as hosts send them for a push of many commits", async () => {
  const bench = await webhookBench({ environments });
  const payload = { ...JSON.parse(fixture("github-push")), padding: "x".repeat(5 * 1024 * 1024) };
  expect((await bench.deliver("github", JSON.stringify(payload))).status).toBe(202);
  await bench.stop();
});

describe("GitLab's signing token", () => {
  const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
  const secret = `a plain one\nwhsec_${KEY.toString("base64")}\n`;
  const body = fixture("gitlab-push");
  let bench: WebhookBench;
  beforeAll(async () => {
    bench = await webhookBench({ environments, secret });
  });
  afterAll(() => bench.stop());

  const signed = (id: string, seconds: number, key: string | Buffer = KEY) => {
    const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
    return { "webhook-id": id, "webhook-timestamp": `${seconds}`, "webhook-signature": `v1,${signature}` };
  };
  const now = Date.UTC(2026, 0, 1) / 1_000;

  it("signs id, time and body; of several signatures one is enough", async () => {
    const headers = signed("m-1", now);
    const signature = headers["webhook-signature"];
    for (const [id, extra] of [
      ["m-1", signature],
      ["m-1", `v1,AAAA v1a,BBBB ${signature}`],
    ] as const) {
      const { status } = await bench.post("/hooks/gitlab", body, {
        ...headers,
        "webhook-id": id,
        "webhook-signature": extra,
      });
      expect([200, 202]).toContain(status);
    }
    expect(await bench.counted()).toEqual({ "gitlab unmatched": 1, "gitlab seen": 1 });
  });

  it.each<[string, Record<string, string>]>([
    ["another id", { ...signed("m-2", now), "webhook-id": "m-3" }],
    ["another time", { ...signed("m-2", now), "webhook-timestamp": `${now + 1}` }],
    ["no id", { ...signed("m-2", now), "webhook-id": "" }],
    ["an old time", signed("m-2", now - 301)],
    ["a time to come", signed("m-2", now + 301)],
    ["no number for a time", { ...signed("m-2", now), "webhook-timestamp": "now" }],
    ["an empty signature", { ...signed("m-2", now), "webhook-signature": "" }],
    ["an empty v1", { ...signed("m-2", now), "webhook-signature": "v1," }],
    [
      "another version",
      {
        ...signed("m-2", now),
        "webhook-signature": signed("m-2", now)["webhook-signature"].replace("v1,", "v2,"),
      },
    ],
    ["an empty key", signed("m-2", now, "")],
    [
      "a wrong signature beside a right plain token",
      { ...signed("m-2", now, "x"), "x-gitlab-token": "a plain one" },
    ],
    ["the signing token sent as a plain one", { "x-gitlab-token": `whsec_${KEY.toString("base64")}` }],
  ])("is refused with %s", async (_, headers) => {
    expect(await bench.post("/hooks/gitlab", body, headers)).toEqual(REFUSED);
  });

  it("leaves the plain token of another line valid", async () => {
    expect((await bench.post("/hooks/gitlab", body, { "x-gitlab-token": "a plain one" })).status).toBe(202);
  });
});

describe("secrets", () => {
  it("that are not configured make every webhook refused, which the log says once a minute", async () => {
    const bench = await webhookBench({ environments, secret: undefined });
    const body = fixture("github-push");
    for (let n = 0; n < 3; n++) expect(await bench.deliver("github", body)).toEqual(REFUSED);
    await bench.clock.advance(60_000);
    expect(await bench.post("/hooks/github", body)).toEqual(REFUSED);
    const said = {
      type: "webhook.refused",
      environment: "*",
      provider: "github",
      why: "webhooks.github.secretFile is not set",
    };
    expect(bench.sink.events).toEqual([
      { ...said, at: "2026-01-01T00:00:00.000Z", times: 1 },
      { ...said, at: "2026-01-01T00:01:00.000Z", times: 3 },
    ]);
    expect(await bench.counted()).toEqual({ "github refused": 4 });
    await bench.stop();
  });

  it.each(["", "\n", "  \r\n\n"])("of a file that holds %j stop the engine from starting", async (secret) => {
    await expect(webhookBench({ environments, secret })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^webhooks\.github\.secretFile: .* holds no secret$/),
    });
  });

  it("on several lines are all accepted", async () => {
    const bench = await webhookBench({ environments, secret: `the next one\r\n${SECRET}\r\n` });
    const body = fixture("github-push");
    for (const secret of ["the next one", SECRET]) {
      const headers = { "x-hub-signature-256": `sha256=${hmacHex(body, secret)}` };
      expect((await bench.deliver("github", body, headers)).status).toBe(202);
    }
    await bench.stop();
  });

  it("never appear in what is told of a refusal", async () => {
    const bench = await webhookBench({ environments });
    await bench.deliver("gitlab", "{}", { "x-gitlab-token": "a guess" });
    await bench.deliver("github", "{}", { "x-hub-signature-256": "sha256=a guess" });
    expect(bench.sink.events.map((event) => "why" in event && event.why)).toEqual([
      "its signature does not fit: the secrets differ, or the body was changed",
      "its signature is not a SHA-256 in hex",
    ]);
    expect(JSON.stringify(bench.sink.events)).not.toContain(SECRET);
    await bench.stop();
  });
});

describe("an engine with a token of its own", () => {
  it("asks webhooks for their signature instead, and everybody else for the token", async () => {
    const bench = await webhookBench({ environments, token: "engine-token" });
    expect((await bench.deliver("github", fixture("github-push"))).status).toBe(202);
    expect(
      (await bench.deliver("github", fixture("github-push"), { "x-hub-signature-256": "" })).status,
    ).toBe(403);
    for (const path of ["/hooks/git/review", "/hooks/github/", "/hooks/other", "/api/v1/environments"])
      expect([path, (await bench.post(path, "{}")).status]).toEqual([path, 401]);
    await bench.stop();
  });
});

describe("a sender who does not end his request", () => {
  it("is hung up on after half a minute", async () => {
    const bench = await webhookBench({ environments });
    const { hostname, port } = new URL(bench.address);
    const socket = connect(Number(port), hostname);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const lines = [
      "POST /hooks/github HTTP/1.1",
      "Host: x",
      "Content-Type: application/json",
      "Content-Length: 10",
    ];
    socket.write([...lines, `X-Hub-Signature-256: sha256=${"0".repeat(64)}`, "", "{"].join("\r\n"));
    await expect.poll(() => bench.clock.sleepers()).toBe(1);
    await bench.clock.advance(29_999);
    expect(socket.closed).toBe(false);
    await bench.clock.advance(1);
    await closed;
    await bench.stop();
  });
});
