import { isJsonObject, type Json, type JsonObject } from "@sluice/core";

/** The value where it is an object; rules read values that may still be of the wrong shape. */
export function objectIn(value: Json | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

/** The objects of a list with their places; anything else in it is the schema's matter. */
export function objectsIn(value: Json | undefined): readonly (readonly [number, JsonObject])[] {
  return listIn(value).flatMap((one, at) => (isJsonObject(one) ? [[at, one] as const] : []));
}

/** The value where it is a list, else an empty one. */
export function listIn(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function textIn(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function numberIn(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** The object without the named members. */
export function without(object: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** The value without members that are null, at any depth: a key with nothing behind it is a key left out. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(kept.map(([key, one]) => [key, withoutNulls(one)]));
}
