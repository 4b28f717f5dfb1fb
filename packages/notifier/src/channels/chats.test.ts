import { manualClock } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpStandIn, httpStandIn } from "../testing/http-stand-in.ts";
import { aNotice, hostileNotice, hugeNotice, NOW } from "../testing/notices.ts";
import { discord, discordMessage } from "./discord.ts";
import { slack, slackMessage } from "./slack.ts";
import { teams, teamsMessage } from "./teams.ts";

const never = new AbortController().signal;
let server: HttpStandIn;

beforeEach(async () => {
  server = await httpStandIn();
});
afterEach(() => server.stop());

const CHATS = [
  ["Slack", slack, slackMessage],
  ["Teams", teams, teamsMessage],
  ["Discord", discord, discordMessage],
] as const;

describe.each(CHATS)("%s", (_, channel, message) => {
  const open = () => channel({ url: () => `${server.url}/hook/secret\n`, clock: manualClock(NOW) });

  it("is posted one JSON document at its secret address", async () => {
    expect(await open().post(aNotice(), never)).toEqual({ kind: "sent" });
    expect(server.received).toEqual([
      {
        method: "POST",
        path: "/hook/secret",
        headers: expect.objectContaining({ "content-type": "application/json", "user-agent": "sluice" }),
        body: JSON.stringify(message(aNotice())),
      },
    ]);
  });

  it.each([
    [400, { kind: "refused" }],
    [404, { kind: "refused" }],
    [301, { kind: "refused" }],
    [408, { kind: "later" }],
    [500, { kind: "later" }],
    [503, { kind: "later" }],
  ])("that answers %d", async (status, expected) => {
    server.answer = () => ({ status, headers: { location: `${server.url}/elsewhere` } });
    const delivery = await open().post(aNotice(), never);
    expect(delivery).toEqual({ ...expected, why: `${new URL(server.url).host} answered ${status}` });
    expect(server.received.map(({ path }) => path)).toEqual(["/hook/secret"]);
  });

  it.each([
    ["seconds", "7", 7_000],
    ["a date", new Date(NOW + 90_000).toUTCString(), 90_000],
    ["a date that has passed", new Date(NOW - 90_000).toUTCString(), 0],
  ])("that says when in %s is heeded", async (_, header, retryAfterMs) => {
    server.answer = () => ({ status: 429, headers: { "retry-after": header } });
    expect(await open().post(aNotice(), never)).toMatchObject({ kind: "later", retryAfterMs });
  });

  it("that is gone never has its secret address told", async () => {
    await server.stop();
    const delivery = await open().post(aNotice(), never);
    expect(delivery).toMatchObject({ kind: "later" });
    expect(JSON.stringify(delivery)).not.toContain("secret");
  });

  it("whose address cannot be read is asked again later", async () => {
    const url = () => {
      throw new Error("no such file");
    };
    const channelWithout = channel({ url, clock: manualClock(NOW) });
    expect(await channelWithout.post(aNotice(), never)).toEqual({ kind: "later", why: "no such file" });
  });
});

describe("what Slack is sent", () => {
  it("says what, where, from what to what, whose, how long, why and how to go back", () => {
    const { text, attachments } = slackMessage(aNotice());
    expect(text).toBe("production: main@sha1:01234567 is degraded");
    expect(attachments).toEqual([
      {
        color: "danger",
        blocks: [
          {
            type: "header",
            text: { type: "plain_text", text: "production: main@sha1:01234567 is degraded", emoji: false },
          },
          section("apps/shop/web: not healthy within 5m"),
          {
            type: "section",
            fields: [
              mrkdwn("*Environment*\nproduction"),
              mrkdwn("*Target*\napps"),
              mrkdwn("*Revision*\nmain@sha1:ffffffff → main@sha1:01234567"),
              mrkdwn("*Commit*\n01234567 web: 1.4.1 → 1.4.2"),
              mrkdwn("*Author*\nAda"),
              mrkdwn("*Took*\n5m2s"),
              mrkdwn("*Reason*\nHealthTimeout"),
            ],
          },
          section(
            "```apps/shop/web (shop) failed: HealthTimeout: not healthy within 5m\n  container.docker.image: web:1.4.1 → web:1.4.2\n  back: sluice rollback apps/shop/web --to ffffffffffff\nand 3 more```",
          ),
          {
            type: "actions",
            elements: [
              {
                type: "button",
                text: { type: "plain_text", text: "Open" },
                url: "https://sluice.example/production",
              },
            ],
          },
        ],
      },
    ]);
  });

  it("mentions nobody and formats nothing", () => {
    const { text, attachments } = slackMessage(hostileNotice());
    const texts = [text, ...textsIn(attachments[0]?.blocks.slice(1))];
    expect(texts.length).toBeGreaterThan(5);
    for (const one of texts) expect(one).not.toMatch(/<|>|&(?!amp;|lt;|gt;)|\[x\]\(http.*<|(?<!^)```(?!$)/);
    expect(text).toContain("&lt;!channel&gt;");
  });

  it("keeps Slack's limits", () => {
    for (const notice of [hugeNotice(), hostileNotice()]) {
      const { text, attachments } = slackMessage(notice);
      expect(text.length).toBeLessThanOrEqual(4_000);
      for (const block of (attachments[0]?.blocks ?? []) as {
        type: string;
        text?: { text: string };
        fields?: { text: string }[];
      }[]) {
        expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(block.type === "header" ? 150 : 3_000);
        expect(block.fields?.length ?? 0).toBeLessThanOrEqual(10);
        for (const field of block.fields ?? []) expect(field.text.length).toBeLessThanOrEqual(2_000);
      }
      for (const one of textsIn(attachments[0]?.blocks.slice(1)))
        expect(one).not.toMatch(/&(?!amp;|lt;|gt;)/);
    }
  });
});

describe("what Teams is sent", () => {
  it("is an adaptive card of version 1.4 with the facts", () => {
    const [attachment] = teamsMessage(aNotice()).attachments;
    expect(attachment?.contentType).toBe("application/vnd.microsoft.card.adaptive");
    expect(attachment?.content).toMatchObject({
      type: "AdaptiveCard",
      version: "1.4",
      actions: [{ type: "Action.OpenUrl", title: "Open", url: "https://sluice.example/production" }],
    });
    const facts = attachment?.content.body.find((one) => "facts" in one);
    expect(facts).toMatchObject({ facts: expect.arrayContaining([{ title: "Author", value: "Ada" }]) });
  });

  it("stays below what Teams takes, and says that something is missing", () => {
    const message = teamsMessage(hugeNotice());
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(28 * 1024);
    expect(JSON.stringify(message)).toMatch(/and \d+ lines more/);
  });

  it("mentions nobody and formats nothing", () => {
    const texts = textsIn(teamsMessage(hostileNotice()).attachments[0]?.content.body);
    for (const one of texts) expect(one).not.toMatch(/<|>|(?<!\\)[*_`[\]]/);
  });
});

describe("what Discord is sent", () => {
  it("calls nobody, whatever it says", () => {
    const message = discordMessage(hostileNotice());
    expect(message.allowed_mentions).toEqual({ parse: [] });
    expect(message.embeds[0]?.title).toContain("\\<!channel\\>");
    expect(message.embeds[0]?.description?.split("```").length).toBe(3);
  });

  it("keeps Discord's limits", () => {
    const [embed] = discordMessage(hugeNotice()).embeds;
    const { title = "", description = "", fields = [] } = embed ?? {};
    expect(title.length).toBeLessThanOrEqual(256);
    expect(description.length).toBeLessThanOrEqual(4_096);
    for (const { value } of fields) expect(value.length).toBeLessThanOrEqual(1_024);
    const all = [title, description, ...fields.flatMap(({ name, value }) => [name, value])];
    expect(all.join("").length).toBeLessThanOrEqual(6_000);
  });

  it("says when in its body too", async () => {
    server.answer = () => ({ status: 429, body: '{"message":"slow down","retry_after":1.5}' });
    const channel = discord({ url: () => server.url, clock: manualClock(NOW) });
    expect(await channel.post(aNotice(), never)).toMatchObject({ kind: "later", retryAfterMs: 1_500 });
  });
});

function mrkdwn(text: string) {
  return { type: "mrkdwn", text, verbatim: true };
}

function section(text: string) {
  return { type: "section", text: mrkdwn(text) };
}

/** Every string that is shown. */
function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    typeof one === "string" && (key === "text" || key === "value") ? [one] : textsIn(one),
  );
}
