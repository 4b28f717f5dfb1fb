import { messageOf, redact } from "@sluice/core";
import axios from "axios";
import type { Delivery } from "./channel.ts";

export interface HttpPost {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** True where an answer that is no 2xx means that it is there already. */
  readonly isThere?: (answer: HttpAnswer) => boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 15_000;
const LARGEST_ANSWER = 64 * 1024;
const LONGEST_PAUSE_MS = 60 * 60 * 1_000;

/** Posts and judges the answer: 2xx is sent, 408, 429 and 5xx are tried again, everything else is refused. Redirects are not followed. */
export async function httpPost(post: HttpPost, now: number, signal: AbortSignal): Promise<Delivery> {
  const host = hostOf(post.url);
  if (host === undefined) return { kind: "refused", why: "its address is no http:// or https:// URL" };
  try {
    const answer = await axios.request<string>({
      method: "POST",
      url: post.url,
      data: post.body,
      headers: { "content-type": "application/json", "user-agent": "sluice", ...post.headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      proxy: false,
      maxRedirects: 0,
      maxContentLength: LARGEST_ANSWER,
      responseType: "text",
      transformResponse: [(body: unknown) => body],
      validateStatus: () => true,
    });
    const { status, data } = answer;
    if (post.isThere?.({ status, body: String(data) })) return { kind: "sent" };
    return judged(status, { host, body: String(data), retryAfter: answer.headers["retry-after"], now });
  } catch (error) {
    signal.throwIfAborted();
    const code = (error as { code?: unknown }).code;
    // An answer that is too large was an answer.
    const why =
      code === "ERR_CANCELED" ? `no answer within ${TIMEOUT_MS / 1_000} s` : String(code ?? messageOf(error));
    return { kind: "later", why: `${host} does not answer: ${redact(why)}` };
  }
}

interface Judged {
  readonly host: string;
  readonly body: string;
  readonly retryAfter: unknown;
  readonly now: number;
}

function judged(status: number, { host, body, retryAfter, now }: Judged): Delivery {
  if (status >= 200 && status < 300) return { kind: "sent" };
  const why = `${host} answered ${status}`;
  if (status !== 408 && status !== 429 && status < 500) return { kind: "refused", why };
  const asked = pauseIn(retryAfter, now) ?? pauseInBody(body);
  return {
    kind: "later",
    why,
    ...(asked === undefined ? {} : { retryAfterMs: Math.min(asked, LONGEST_PAUSE_MS) }),
  };
}

/** `Retry-After`: seconds, or a date. */
function pauseIn(header: unknown, now: number): number | undefined {
  if (typeof header !== "string" || header.trim() === "") return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Discord says it in the body too, in seconds. */
function pauseInBody(body: string): number | undefined {
  try {
    const seconds = (JSON.parse(body) as { retry_after?: unknown } | null)?.retry_after;
    return typeof seconds === "number" && seconds >= 0 ? seconds * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

/** The host alone: the path of a chat's webhook is its secret. */
function hostOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host } = new URL(url);
  return protocol === "https:" || protocol === "http:" ? host : undefined;
}
