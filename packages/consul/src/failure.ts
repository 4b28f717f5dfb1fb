import { type ErrorCode, redact, SluiceError } from "@sluice/core";

/** What went wrong with one request: an answer with a status, or no answer at all. */
export interface Failure {
  readonly status: number | undefined;
  readonly text: string;
}

/** A 200 that something in between gave: it proves nothing about what is there, or was written. */
export const NOT_CONSUL: Failure = { status: undefined, text: "the answer is not one of Consul's" };

const LONGEST_TEXT = 300;

/** Reads what the npm client rejects with; an answer's body is the reason where it is text. */
export function failureOf(error: unknown): Failure {
  const { statusCode, response, message, code } = error as {
    statusCode?: number;
    response?: { body?: unknown };
    message?: string;
    code?: string;
  };
  const body = response?.body;
  const text = textOf(body).trim() || (message ?? code ?? String(error)).replace(/^consul: ([\w.]+: )?/i, "");
  return {
    status: statusCode,
    text: text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text,
  };
}

/** The client leaves an answer as bytes where it asked for bytes, or where its type is none that it knows. */
function textOf(body: unknown): string {
  if (body instanceof Uint8Array) return Buffer.from(body).toString("utf8");
  return typeof body === "string" ? body : (JSON.stringify(body) ?? "");
}

/** A request in words, for the sentence about its failure. */
export interface Deed {
  /** After "could not": `read "a/b"`. */
  readonly what: string;
  /** The rule the token needs for it, as a policy file spells it. */
  readonly rule?: string | undefined;
}

/**
 * The one map from Consul's failures to ours. The original is not kept as a cause: it carries the request's headers,
 * and with them the token.
 *
 * @param code where the answer's status does not say it.
 */
export function consulError(
  failure: Failure,
  { what, rule }: Deed,
  host: string,
  secrets: readonly string[],
  code: ErrorCode = codeOf(failure),
): SluiceError {
  const verdict = failure.status === undefined ? "" : ` (${failure.status})`;
  const message = `Could not ${what} on Consul at ${host}${verdict}: ${failure.text}`;
  const advice = code === "KV_DENIED" || code === "KV_FILTERED" ? adviceOn(failure.text, rule) : "";
  return new SluiceError(code, redact(message, secrets) + advice);
}

/** Consul says that something was refused, and never what would have been enough. */
function adviceOn(text: string, rule: string | undefined): string {
  if (/ACL not found/i.test(text)) return "; Consul does not know this token";
  return rule === undefined ? "" : `; the token needs: ${rule}`;
}

function codeOf({ status, text }: Failure): ErrorCode {
  if (status === undefined || status === 429 || status >= 500) return "KV_UNREACHABLE";
  if (status === 401 || status === 403 || saysDenied(text)) return "KV_DENIED";
  return "KV_INVALID";
}

/** A rolled back transaction answers 409 also where a rule is missing, and says so only in the text. */
export function saysDenied(text: string): boolean {
  return /permission denied|ACL not found/i.test(text);
}
