import { messageOf } from "@sluice/core";
import { DIGEST, TAG } from "./reference.ts";

/** One image that somebody says there is. At least one of tag and digest is there. */
export interface Announced {
  readonly tag?: string;
  readonly digest?: string;
  /** When it was made or pushed, by the clock of whoever said so; ISO 8601. */
  readonly at?: string;
  /** Who said so, for people. */
  readonly by?: string;
}

/** What a key under `images/` says: the newest message first, as far as they are remembered. */
export interface Announcements {
  readonly all: readonly Announced[];
  /** What of the value cannot be used, as sentences; the rest counts. */
  readonly problems: readonly string[];
}

/** A registry tells of one image by several tags at once (`1.4.2`, `latest`), and only one of them may be the one that counts. */
export const REMEMBERED = 100;
const LONGEST_VALUE = 64 * 1024;
const LONGEST_BY = 200;

/**
 * Reads a value: a tag, a digest, `tag@digest`, or a JSON object `{tag, digest, at, by}`, to which Sluice adds the messages
 * before it as `earlier`.
 */
export function parseAnnouncements(value: Uint8Array): Announcements {
  if (value.byteLength > LONGEST_VALUE) return none(`it is longer than ${LONGEST_VALUE} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(value).trim();
  } catch {
    return none("it is not UTF-8 text");
  }
  if (!text.startsWith("{")) return collect([fromText(text)]);
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    const earlier = Array.isArray(parsed.earlier) ? parsed.earlier : [];
    return collect([parsed, ...earlier.slice(0, REMEMBERED)].map(fromJson));
  } catch (error) {
    return none(`it is no JSON: ${messageOf(error).slice(0, 100)}`);
  }
}

/** The value that remembers a new message before those that were there; of one tag, only what was said last. */
export function withAnnounced(before: Announcements, said: Announced): Uint8Array {
  const others = before.all.filter(
    (one) => one.tag !== said.tag || (said.tag === undefined && one.digest !== said.digest),
  );
  const earlier = others.slice(0, REMEMBERED - 1);
  return Buffer.from(JSON.stringify({ ...said, ...(earlier.length > 0 ? { earlier } : {}) }));
}

/** What may be said, or why not, as a sentence without what was said. */
export function checkAnnounced({ tag, digest }: { tag?: unknown; digest?: unknown }): string | undefined {
  if (tag === undefined && digest === undefined) return "it names no tag and no digest";
  if (tag !== undefined && (typeof tag !== "string" || !TAG.test(tag)))
    return "its tag is none: a tag has letters, digits, `_`, `.` and `-`, at most 128, and begins with none of the last two";
  if (digest !== undefined && (typeof digest !== "string" || !DIGEST.test(digest)))
    return "its digest is none: `sha256:` and 64 hex digits are needed";
  return undefined;
}

/** `tag`, `digest` or `tag@digest`, unchecked. */
export function fromText(text: string): Announced {
  const cut = text.indexOf("@");
  if (cut >= 0) return { tag: text.slice(0, cut), digest: text.slice(cut + 1) };
  return DIGEST.test(text) ? { digest: text } : { tag: text };
}

function none(problem: string): Announcements {
  return { all: [], problems: [problem] };
}

function collect(all: readonly Announced[]): Announcements {
  const problems = all.flatMap((one) => checkAnnounced(one) ?? []);
  return { all: all.filter((one) => checkAnnounced(one) === undefined), problems: [...new Set(problems)] };
}

function fromJson(value: unknown): Announced {
  if (typeof value !== "object" || value === null) return {};
  const { tag, digest, at, by } = value as Record<string, unknown>;
  const time = typeof at === "string" ? Date.parse(at) : Number.NaN;
  return {
    ...(tag === undefined ? {} : { tag: tag as string }),
    ...(digest === undefined ? {} : { digest: digest as string }),
    ...(Number.isNaN(time) ? {} : { at: new Date(time).toISOString() }),
    ...(typeof by === "string" ? { by: by.replace(/\p{Cc}/gu, " ").slice(0, LONGEST_BY) } : {}),
  };
}
