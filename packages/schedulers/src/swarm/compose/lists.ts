import { isJsonObject, type Json } from "@sluice/core";
import { listIn } from "../../format/reading.ts";

/** What Compose takes as a mapping or as a list of `NAME=value`, as a mapping of texts; null is an empty text. */
export function mapOf(value: Json | undefined): Readonly<Record<string, string>> {
  if (isJsonObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, one === null ? "" : String(one)]),
    );
  return Object.fromEntries(
    listIn(value).map((one) => {
      const text = String(one);
      const cut = text.indexOf("=");
      return cut < 0 ? [text, ""] : [text.slice(0, cut), text.slice(cut + 1)];
    }),
  );
}

/** One text or several. */
export function textsOf(value: Json | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

/** The object without members that are undefined. */
export function defined(object: Readonly<Record<string, Json | undefined>>): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, one]) => (one === undefined ? [] : [[key, one]])),
  );
}

/** As `defined`, and undefined where nothing is left. */
export function definedAny(
  object: Readonly<Record<string, Json | undefined>>,
): Readonly<Record<string, Json>> | undefined {
  const kept = defined(object);
  return Object.keys(kept).length > 0 ? kept : undefined;
}
