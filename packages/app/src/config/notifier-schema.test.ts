import { describe, expect, it } from "vitest";
import { chooseRoles } from "../engine/roles.ts";
import { parseConfig } from "./load.ts";
import { apiOf } from "./notifier-schema.ts";

const config = (text: string) => parseConfig(Buffer.from(text), "sluice.yaml");

describe("the configuration of messages", () => {
  it("needs nothing but its name, and brings the role", () => {
    const given = config("notify: {}\n");
    expect(given.notify).toEqual({
      channels: {},
      gather: "10s",
      repeat: "5m",
      giveUp: "24h",
      notes: "local",
    });
    expect(chooseRoles([], given).has("notifier")).toBe(true);
    expect(chooseRoles([], config("{}")).has("notifier")).toBe(false);
  });

  it.each([
    [
      "a channel that does not exist",
      "routes: [{ to: [chatt] }]",
      /sluice\.yaml:\d+: .*no channel "chatt" \(did you mean "chat"\?\)|did you mean "chat"/,
    ],
    [
      "a kind that does not exist",
      "routes: [{ to: [chat], events: [job.faild] }]",
      /sluice\.yaml:4: .*"job\.faild".*"job\.failed"/,
    ],
    ["an unknown setting", "gathr: 1s", /sluice\.yaml:4: notify\.gathr: unknown setting.*"gather"/],
    ["a secret in the file itself", "routes: [{ to: [chat], url: x }]", /unknown setting/],
    [
      "an unknown severity",
      "routes: [{ to: [chat], severity: bad }]",
      /sluice\.yaml:4: notify\.routes\.0\.severity/,
    ],
  ])("refuses %s, with the line", (_, line, expected) => {
    const text = `notify:\n  channels:\n    chat: { type: slack, urlFile: u }\n  ${line}\n`;
    expect(() => config(text)).toThrowError(expected);
  });

  it.each([
    [
      "mail without TLS but with a password",
      "{ type: mail, host: h, tls: none, username: u, passwordFile: p, from: a@b.c, to: [a@b.c] }",
      /not sent without TLS/,
    ],
    [
      "a user without a password",
      "{ type: mail, host: h, username: u, from: a@b.c, to: [a@b.c] }",
      /go together/,
    ],
    [
      "an address that is two",
      "{ type: mail, host: h, from: a@b.c, to: ['a@b.c, d@e.f'] }",
      /must be a mail address/,
    ],
    [
      "a sender with a line of its own",
      '{ type: mail, host: h, from: "x\\r\\nBcc: y@z.a", to: [a@b.c] }',
      /must be a mail address/,
    ],
    [
      "a host without an address",
      "{ type: commit-status, host: gitea, repository: a/b, tokenFile: t }",
      /say where it is/,
    ],
    ["another kind of channel", "{ type: pager }", /sluice\.yaml:3: notify\.channels\.x\.type/],
  ])("refuses %s", (_, channel, expected) => {
    expect(() => config(`notify:\n  channels:\n    x: ${channel}\n`)).toThrowError(expected);
  });

  it("knows where public hosts are", () => {
    const given = config(
      "notify: { channels: { a: { type: commit-status, host: github, repository: a/b, tokenFile: t } } }",
    );
    const channel = given.notify?.channels.a;
    expect(channel?.type === "commit-status" && apiOf(channel)).toBe("https://api.github.com");
  });
});
