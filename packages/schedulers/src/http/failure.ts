import { isJsonObject, type JsonObject, type RefusedField, redact, SluiceError } from "@sluice/core";
import { fieldNamedIn } from "../format/place.ts";
import type { HttpAnswer } from "./connection.ts";

const MOST_WORDS = 300;

/**
 * The first line of what somebody else wrote, masked before it is cut, so that no part of a secret is left at the cut.
 * @param secrets values that must not be repeated, as they are or as JSON quotes them; each line of one is one.
 */
export function firstLine(text: string, secrets: readonly string[], most = MOST_WORDS): string {
  const forms = secrets.flatMap((one) => [one, JSON.stringify(one).slice(1, -1), ...one.split(/\r?\n/)]);
  const line = redact(text, [...new Set(forms)])
    .split("\n")
    .find((one) => one.trim() !== "");
  return (line ?? "").trim().slice(0, most);
}

/** The member `message` of an error body, its first line only: the rest may be a stack trace. */
export function serverMessage(answer: HttpAnswer, secrets: readonly string[] = []): string | undefined {
  const message = isJsonObject(answer.json) ? answer.json.message : undefined;
  return typeof message === "string" ? firstLine(message, secrets) : undefined;
}

/** What a scheduler said, where it names a field of what was sent. */
export function fieldsNamed(said: string | undefined, sent: JsonObject | undefined): readonly RefusedField[] {
  const path = said && fieldNamedIn(said, sent);
  return said && path ? [{ path, words: said }] : [];
}

/**
 * What every scheduler's refusals have in common. Transient: 408, 429, redirections and 5xx; for good: the other 4xx, where the
 * body is the scheduler's own. A proxy's page says nothing of the job.
 * @param sent what was written, so that a field the scheduler names can be found in it.
 */
export function commonFailure(
  name: string,
  answer: HttpAnswer,
  detail: string | undefined,
  sent?: JsonObject,
): SluiceError {
  const { status } = answer;
  const words = detail === undefined || detail === "" ? "" : `: ${detail}`;
  if (status === 401 || status === 403)
    return new SluiceError("SCHEDULER_DENIED", `${name} refused the credentials (${status})`);
  if (status >= 300 && status < 400)
    return new SluiceError("SCHEDULER_UNREACHABLE", `${name} redirects elsewhere (${status})`, {
      hint: "Give the addresses of the scheduler itself; a redirection is followed only to one of them.",
    });
  const own = isJsonObject(answer.json);
  if (own && status >= 400 && status < 500 && status !== 408 && status !== 429)
    return new SluiceError("SCHEDULER_INVALID", `${name} refused the request (${status})${words}`, {
      fields: fieldsNamed(detail, sent),
    });
  return new SluiceError("SCHEDULER_UNREACHABLE", `${name} cannot answer now (${status})${words}`);
}

/** An answer of the right status but not of the right shape: a proxy's page, or not this scheduler at all. */
export function strangeAnswer(name: string, question: string): SluiceError {
  return new SluiceError(
    "SCHEDULER_UNREACHABLE",
    `${name} answered ${question} with something else than it should`,
    {
      hint: "Check that the target's address is the scheduler's own, with no login page or proxy in between.",
    },
  );
}
