import { isUtf8 } from "node:buffer";
import { isJsonObject, type Json } from "@sluice/core";

/** Deeper documents are left to the reader that says where they are too deep. */
const DEEPEST = 90;

/**
 * A JSON document with nothing to say against it, some twenty times faster than `readDocuments`. Undefined where there may be:
 * no JSON, a key that stands twice, a whole number that was rounded, very deep. What is wrong then must be found otherwise.
 */
export function plainJson(bytes: Uint8Array): Json | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes).toString("utf8");
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  const keys = keysIn(value, 0);
  return keys !== undefined && keys === colonsIn(text) ? value : undefined;
}

/** How many keys the maps have; undefined for a number that is not certain, or too many levels. */
function keysIn(value: Json, depth: number): number | undefined {
  if (depth > DEEPEST) return undefined;
  if (typeof value === "number")
    return Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value))
      ? 0
      : undefined;
  if (typeof value !== "object" || value === null) return 0;
  const parts = Array.isArray(value) ? value : Object.values(value);
  let keys = isJsonObject(value) ? parts.length : 0;
  for (const part of parts) {
    const more = keysIn(part as Json, depth + 1);
    if (more === undefined) return undefined;
    keys += more;
  }
  return keys;
}

/** Colons outside of texts: one for each key as it is written, so that a key that was lost to another is missed. */
function colonsIn(text: string): number {
  let colons = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|:/g)) if (token[0] === ":") colons += 1;
  return colons;
}
