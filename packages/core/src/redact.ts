import type { FieldChange } from "./model/job.ts";
import { isJsonObject, type Json, type JsonObject } from "./model/json.ts";

export const MASK = "•••";

const SECRET_NAME = /pass(word|wd|phrase)?|secret|token|credential|api[-_.]?key|private[-_.]?key|auth/i;
/** What is handed to Docker: the name beside it, such as `env`, is not part of the path. */
const HANDED = /(^|\.)parameters(\.\d+|\[\d+\])(\.value)?$/;
/** The same inside a text; bounded, so that a long word costs no more than its length. */
const NAME =
  "[\\w.-]{0,40}(?:pass(?:word|wd|phrase)?|secret|token|credential|api[-_.]?key|private[-_.]?key)[\\w.-]{0,40}";
const VALUE = `"[^"]*"|'[^']*'|[^\\s"'&;,)]+`;
/** How secrets are written in texts: what stands before, the secret, what stands behind. */
const WRITTEN: readonly { readonly pattern: RegExp; parts(hidden: string): readonly string[] }[] = [
  {
    pattern: /([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/?#"'<>]+)(@)/gi,
    parts: (hidden) => [hidden, ...hidden.split(":").slice(1)],
  },
  {
    pattern: new RegExp(`((?<![\\w.-])--?${NAME}["']?(?:\\s+|\\s*,\\s*))(${VALUE})()`, "gi"),
    parts: unquoted,
  },
  { pattern: new RegExp(`((?<![\\w.-])${NAME}=)(${VALUE})()`, "gi"), parts: unquoted },
  { pattern: new RegExp(`("${NAME}"\\s*:\\s*)("[^"]*")()`, "gi"), parts: unquoted },
  {
    pattern: /(\bauthorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer)\s+)?)([^\s"',]+)()/gi,
    parts: unquoted,
  },
];
const ENVIRONMENT = /(^|\.)(env|environmentvariables|environment)(\.|\[|$)/i;

/**
 * A change that may be shown: environment values, whatever is named like a secret, and passwords inside URLs are masked on both
 * sides. The name may be the key above a value or stand beside it: `{ key: "env", value: … }`, `{ name: "TOKEN", value: … }`.
 */
export function maskField(change: FieldChange): FieldChange {
  const show = isSecret(change.path) || HANDED.test(change.path) ? maskAll : maskNested;
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
  if (Array.isArray(value))
    return value.map((one, at) => (followsFlag(value, at) ? maskAll(one) : maskNested(one)));
  if (!isJsonObject(value)) return value;
  const named = isNamed(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      isSecret(key) || (named && key === "value") ? maskAll(one) : maskNested(one),
    ]),
  );
}

/** `{ key: "env", value: … }`, `{ name: "TOKEN", value: … }`. */
function isNamed({ key, name }: JsonObject): boolean {
  return [key, name].some((one) => typeof one === "string" && isSecret(one));
}

/** The value of `["--password", "x"]`. */
function followsFlag(list: readonly Json[], at: number): boolean {
  const before = list[at - 1];
  return typeof before === "string" && /^--?[^\s=]+$/.test(before) && SECRET_NAME.test(before);
}

function isSecret(name: string): boolean {
  return ENVIRONMENT.test(name) || SECRET_NAME.test(name);
}

/** Takes user names and passwords out of URLs in a text, what it assigns to a name like a secret's, and every given secret of more than three characters. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const { pattern } of WRITTEN) clean = clean.replace(pattern, `$1${MASK}$3`);
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  for (const secret of longestFirst) if (secret.length > 3) clean = clean.replaceAll(secret, MASK);
  return clean;
}

/** Every text in a job that may not be shown, so that it can be taken out of what a scheduler says about the job. */
export function secretValues(value: Json): readonly string[] {
  const found = new Set<string>();
  collect(value, false, found);
  return [...found];
}

function collect(value: Json, secret: boolean, found: Set<string>): void {
  if (typeof value === "string") {
    if (secret) found.add(value);
    for (const { pattern, parts } of WRITTEN)
      for (const [, , hidden = ""] of value.matchAll(pattern))
        for (const one of parts(hidden)) found.add(one);
  } else if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) collect(one, secret || followsFlag(value, at), found);
  } else if (isJsonObject(value)) {
    const named = isNamed(value);
    for (const [key, one] of Object.entries(value))
      collect(one, secret || isSecret(key) || (named && key === "value"), found);
  }
}

function unquoted(hidden: string): readonly string[] {
  return [hidden.replace(/^["']|["']$/g, "")];
}
