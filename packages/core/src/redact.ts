import type { FieldChange } from "./model/job.ts";
import { isJsonObject, type Json } from "./model/json.ts";

export const MASK = "•••";

const SECRET_NAME = /pass(word|wd|phrase)?|secret|token|credential|api[-_.]?key|private[-_.]?key|auth/i;
const ENVIRONMENT = /(^|\.)(env|environmentvariables|environment)(\.|\[|$)/i;

/** A change that may be shown: environment values, and whatever is named like a secret, are masked on both sides. */
export function maskField(change: FieldChange): FieldChange {
  const hide = ENVIRONMENT.test(change.path) || SECRET_NAME.test(change.path);
  const show = hide ? maskAll : maskNested;
  return {
    path: change.path,
    ...(change.from === undefined ? {} : { from: show(change.from) }),
    ...(change.to === undefined ? {} : { to: show(change.to) }),
  };
}

function maskAll(value: Json): Json {
  if (Array.isArray(value)) return value.map(maskAll);
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, maskAll(one)]));
  return MASK;
}

function maskNested(value: Json): Json {
  if (Array.isArray(value)) return value.map(maskNested);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      ENVIRONMENT.test(key) || SECRET_NAME.test(key) ? maskAll(one) : maskNested(one),
    ]),
  );
}

/** Takes user names and passwords out of URLs in a text, and every given secret. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${MASK}@`);
  for (const secret of secrets) if (secret.length > 3) clean = clean.replaceAll(secret, MASK);
  return clean;
}
