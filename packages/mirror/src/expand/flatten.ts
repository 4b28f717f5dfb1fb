import { isJsonObject, type Json, type JsonObject } from "@sluice/core";
import type { ListRule } from "./rules.ts";

/** One value of an expanded file. */
export interface FlatValue {
  /** From the top of the document. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/**
 * The values of a document that stand on their own. Texts are as they are, `null` is an empty text, and an empty map leaves
 * nothing; a document that is a single value has none.
 */
export function flatten(document: Json, lists: ListRule): FlatValue[] {
  if (!Array.isArray(document)) return isJsonObject(document) ? fromMap(document, [], lists) : [];
  if (lists === "json" || lists === "join") return fromList(document, [], lists);
  return fromList(document, [], lists, "index");
}

function fromMap(map: JsonObject, path: readonly (string | number)[], lists: ListRule): FlatValue[] {
  return Object.entries(map).flatMap(([key, value]) => fromValue(value as Json, [...path, key], lists));
}

function fromValue(value: Json, path: readonly (string | number)[], lists: ListRule): FlatValue[] {
  if (Array.isArray(value)) return fromList(value, path, lists);
  if (isJsonObject(value)) return fromMap(value, path, lists);
  return [{ path, text: textOf(value) }];
}

function fromList(
  list: readonly Json[],
  path: readonly (string | number)[],
  lists: ListRule,
  rule: ListRule = lists,
): FlatValue[] {
  switch (rule) {
    case "index":
      return list.flatMap((item, at) => fromValue(item, [...path, at], lists));
    case "json":
      return [{ path, text: JSON.stringify(list) }];
    case "join":
      return [{ path, text: list.map(joinable).join(",") }];
    case "ignore":
      return [];
  }
}

function joinable(item: Json): string {
  return typeof item === "object" && item !== null ? JSON.stringify(item) : textOf(item);
}

function textOf(value: Json): string {
  return value === null ? "" : String(value);
}
