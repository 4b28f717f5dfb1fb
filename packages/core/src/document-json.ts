import { unsayable } from "./document-bounds.ts";
import { isJsonObject, type Json } from "./model/json.ts";

/**
 * The value of a file that is one JSON object or list, at a tenth of what reading it as YAML costs; undefined where it is
 * anything else, or where there is something to say against it, which is then said by whoever reads it as YAML.
 */
export function plainJson(text: string): Json | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  return unsayable(value) || membersIn(value) !== colonsIn(text) ? undefined : value;
}

/** Of a key that is there twice only one member is left, but both have a colon. */
function colonsIn(text: string): number {
  let colons = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COLON) colons += 1;
    else if (code === QUOTE) at = endOfString(text, at);
  }
  return colons;
}

const [COLON, QUOTE, BACKSLASH] = [0x3a, 0x22, 0x5c];

/** The place of the closing quote of a string that is known to be well formed. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}

/** Nothing is nested so deep that counting by recursion would be too much: that was looked at before. */
function membersIn(value: Json): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + membersIn(one), 0);
  if (!isJsonObject(value)) return 0;
  let count = 0;
  for (const one of Object.values(value)) count += 1 + membersIn(one);
  return count;
}
