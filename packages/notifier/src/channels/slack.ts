import type { Severity } from "../notice/kinds.ts";
import { cut, type Notice } from "../notice/notice.ts";
import { allJobLines, factsOf } from "../notice/wording.ts";
import type { Channel } from "./channel.ts";
import { type ChatOptions, postJson } from "./chat.ts";

/** Slack's limits (docs.slack.dev, Block Kit): units are characters, of which `&amp;` counts as five. */
const LIMITS = { header: 150, section: 3_000, field: 2_000, fields: 10, text: 4_000 };
const COLOURS: { readonly [S in Severity]: string } = { info: "good", warning: "warning", error: "danger" };

/** An incoming webhook of Slack, or of what takes the same: Mattermost, Rocket.Chat. */
export function slack(options: ChatOptions): Channel {
  return { post: (notice, signal) => postJson(options, slackMessage(notice), signal) };
}

/** A header, the reason, the facts, the jobs; the colour needs an attachment. */
export function slackMessage(notice: Notice) {
  const { title, message, severity, url } = notice;
  const fields = factsOf(notice)
    .slice(0, LIMITS.fields)
    .map(({ name, value }) => mrkdwn(`*${name}*\n${escaped(value, LIMITS.field - name.length - 3)}`));
  const jobs = allJobLines(notice).join("\n");
  const blocks = [
    { type: "header", text: { type: "plain_text", text: cut(title, LIMITS.header), emoji: false } },
    ...(message ? [{ type: "section", text: mrkdwn(escaped(message, LIMITS.section)) }] : []),
    ...(fields.length > 0 ? [{ type: "section", fields }] : []),
    ...(jobs
      ? [{ type: "section", text: mrkdwn(`\`\`\`${escapedCode(jobs, LIMITS.section - 6)}\`\`\``) }]
      : []),
    ...(url
      ? [{ type: "actions", elements: [{ type: "button", text: { type: "plain_text", text: "Open" }, url }] }]
      : []),
  ];
  // `text` is what notifications show; it is read as mrkdwn too.
  return { text: escaped(title, LIMITS.text), attachments: [{ color: COLOURS[severity], blocks }] };
}

function mrkdwn(text: string) {
  return { type: "mrkdwn", text, verbatim: true };
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * Slack's three special characters are escaped, so that nobody is mentioned and no link is hidden; the marks of its formatting
 * are parted from what they would format. Cut so that no entity is halved.
 */
function escaped(text: string, length: number): string {
  return escapedTo(text.replace(/[*_~`]/g, "$&\u200b"), length);
}

/** Inside a code block nothing is formatted, and nothing may end it. */
function escapedCode(text: string, length: number): string {
  return escapedTo(text.replaceAll("`", "'"), length);
}

function escapedTo(text: string, length: number): string {
  let out = "";
  for (const character of text) {
    const next = ENTITIES[character] ?? character;
    if (out.length + next.length > length - 1) return `${out}…`;
    out += next;
  }
  return out;
}
