import type { Severity } from "../notice/kinds.ts";
import { cut, type Notice } from "../notice/notice.ts";
import { allJobLines, factsOf } from "../notice/wording.ts";
import type { Channel } from "./channel.ts";
import { type ChatOptions, postJson } from "./chat.ts";

const COLOURS: { readonly [S in Severity]: string } = {
  info: "good",
  warning: "warning",
  error: "attention",
};
/** A message of more than 28 KB is refused. */
const MOST_BYTES = 26 * 1024;
const LONGEST_TEXT = 4_000;

/** A workflow of Microsoft Teams that is begun by a webhook. It answers before it posts, so "sent" means that it was taken. */
export function teams(options: ChatOptions): Channel {
  return { post: (notice, signal) => postJson(options, teamsMessage(notice), signal) };
}

/** An adaptive card; of a card that would be too large the jobs are shortened. */
export function teamsMessage(notice: Notice) {
  const lines = allJobLines(notice);
  for (let kept = lines.length; kept > 0; kept = Math.floor(kept / 2)) {
    const message = envelope(notice, lines.slice(0, kept), lines.length - kept);
    if (Buffer.byteLength(JSON.stringify(message)) <= MOST_BYTES) return message;
  }
  return envelope(notice, [], lines.length);
}

function envelope(notice: Notice, lines: readonly string[], left: number) {
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    msteams: { width: "Full" },
    body: body(notice, left > 0 ? [...lines, `and ${left} lines more`] : lines),
    ...(notice.url ? { actions: [{ type: "Action.OpenUrl", title: "Open", url: notice.url }] } : {}),
  };
  return {
    type: "message",
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", content }],
  };
}

function body(notice: Notice, lines: readonly string[]): object[] {
  const { title, message, severity } = notice;
  const facts = factsOf(notice).map(({ name, value }) => ({ title: name, value: plain(value) }));
  const heading = { type: "TextBlock", text: plain(title), size: "large", weight: "bolder", wrap: true };
  return [
    { ...heading, color: COLOURS[severity] },
    ...(message ? [{ type: "TextBlock", text: plain(message), wrap: true }] : []),
    ...(facts.length > 0 ? [{ type: "FactSet", facts }] : []),
    ...lines.map((line) => ({
      type: "TextBlock",
      text: plain(line),
      wrap: true,
      spacing: "none",
      fontType: "monospace",
    })),
  ];
}

/** A text block is Markdown and knows `<at>`: what would be read as either is escaped. */
function plain(text: string): string {
  const literal = text
    .replace(/[\\*_`[\]#~|]/g, "\\$&")
    .replaceAll("<", "‹")
    .replaceAll(">", "›");
  return cut(literal.replace(/^([-+]|\d+\.)(?=\s)/gm, "\u200b$1"), LONGEST_TEXT);
}
