import type { FieldChange } from "./model/job.ts";
import { isJsonObject, type Json } from "./model/json.ts";

export const MASK = "•••";

const SECRET_NAME = /pass(word|wd|phrase)?|secret|token|credential|api[-_.]?key|private[-_.]?key|auth/i;
const ENVIRONMENT = /(^|\.)(env|environmentvariables|environment)(\.|\[|$)/i;

/**
 * A change that may be shown: environment values, whatever is named like a secret, and passwords inside URLs are masked on both
 * sides. The name may be the key above a value or stand beside it: `{ key: "env", value: … }`, `{ name: "TOKEN", value: … }`.
 */
export function maskField(change: FieldChange): FieldChange {
  const show = isSecret(change.path) ? maskAll : maskNested;
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
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map(maskNested);
  if (!isJsonObject(value)) return value;
  const named = [value.key, value.name].some((name) => typeof name === "string" && isSecret(name));
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      isSecret(key) || (named && key === "value") ? maskAll(one) : maskNested(one),
    ]),
  );
}

function isSecret(name: string): boolean {
  return ENVIRONMENT.test(name) || SECRET_NAME.test(name);
}

/** Takes user names and passwords out of URLs in a text, and every given secret of more than three characters. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>]+@/gi, `$1${MASK}@`);
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  for (const secret of longestFirst) if (secret.length > 3) clean = clean.replaceAll(secret, MASK);
  return clean;
}
