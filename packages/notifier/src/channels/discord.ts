import type { Severity } from "../notice/kinds.ts";
import { cut, type Notice } from "../notice/notice.ts";
import { allJobLines, factsOf } from "../notice/wording.ts";
import type { Channel } from "./channel.ts";
import { type ChatOptions, postJson } from "./chat.ts";

/** Discord's limits (discord.com/developers/docs, message embeds); all texts of an embed together have at most 6,000 characters. */
const LIMITS = { title: 256, description: 4_096, fields: 25, name: 256, value: 1_024, all: 6_000 };
const COLOURS: { readonly [S in Severity]: number } = { info: 0x2eb67d, warning: 0xecb22e, error: 0xe01e5a };

/** A webhook of a Discord channel. */
export function discord(options: ChatOptions): Channel {
  return { post: (notice, signal) => postJson(options, discordMessage(notice), signal) };
}

/** One embed; `allowed_mentions` keeps whatever a text holds from calling anybody. */
export function discordMessage(notice: Notice) {
  const { severity, at, url } = notice;
  const title = cut(escaped(notice.title), LIMITS.title);
  const fields = factsOf(notice)
    .slice(0, LIMITS.fields)
    .map(({ name, value }) => ({ name, value: cut(escaped(value), LIMITS.value), inline: true }));
  const used = title.length + fields.reduce((sum, one) => sum + one.name.length + one.value.length, 0);
  const room = Math.min(LIMITS.description, Math.max(0, LIMITS.all - used));
  const description = described(notice, room);
  const embed = {
    title,
    ...(description ? { description } : {}),
    ...(url ? { url } : {}),
    color: COLOURS[severity],
    ...(fields.length > 0 ? { fields } : {}),
    timestamp: at,
  };
  return { embeds: [embed], allowed_mentions: { parse: [] } };
}

function described(notice: Notice, room: number): string {
  const message = cut(escaped(notice.message), Math.floor(room / 2));
  const jobs = allJobLines(notice).join("\n").replaceAll("`", "'");
  if (!jobs) return message;
  const left = room - message.length - 9;
  return left < 2 ? message : [message, `\`\`\`\n${cut(jobs, left)}\n\`\`\``].filter(Boolean).join("\n");
}

/** Markdown is shown as it was written. */
function escaped(text: string): string {
  return text.replace(/[\\*_~`|>[\]()#@<:-]/g, "\\$&");
}
