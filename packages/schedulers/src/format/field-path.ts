import { isJsonObject, type Json, type JsonObject } from "@sluice/core";

/**
 * The object with the value at a dotted path taken from another object: set where the other has one, absent where it has
 * none. Keys may themselves hold dots (`labels.traefik.enable`). List elements are only replaced, never added.
 */
export function withValueFrom(object: JsonObject, other: JsonObject, path: string): JsonObject {
  const key = keyOn(other, path) ?? keyOn(object, path);
  if (key === undefined) return object;
  const rest = path.slice(key.length + 1);
  const theirs = other[key];
  if (rest === "") return put(object, key, theirs);
  if (Array.isArray(theirs) && Array.isArray(object[key]))
    return put(object, key, elementFrom(object[key], theirs, rest));
  const mine = object[key] ?? {};
  const from = theirs ?? {};
  if (!isJsonObject(mine) || !isJsonObject(from)) return object;
  const merged = withValueFrom(mine, from, rest);
  return object[key] === undefined && Object.keys(merged).length === 0 ? object : put(object, key, merged);
}

/** The object without what stands at a dotted path; a list element becomes null, so that the others keep their places. */
export function withoutValueAt(object: JsonObject, path: string): JsonObject {
  const key = keyOn(object, path);
  if (key === undefined) return object;
  const rest = path.slice(key.length + 1);
  const value = object[key];
  if (rest === "") return put(object, key, undefined);
  if (isJsonObject(value)) return put(object, key, withoutValueAt(value, rest));
  if (!Array.isArray(value)) return object;
  const [at, deeper] = splitIndex(rest);
  const element: Json | undefined = value[at];
  if (element === undefined) return object;
  return put(
    object,
    key,
    value.with(at, deeper !== "" && isJsonObject(element) ? withoutValueAt(element, deeper) : null),
  );
}

/** The keys and list places along a dotted path, as far as the value has them. */
export function keysAlong(value: Json | undefined, path: string): readonly (string | number)[] {
  if (path === "") return [];
  if (Array.isArray(value)) {
    const [at, rest] = splitIndex(path);
    return at in value ? [at, ...keysAlong(value[at], rest)] : [];
  }
  const key = isJsonObject(value) ? keyOn(value, path) : undefined;
  if (key === undefined || !isJsonObject(value)) return [];
  return [key, ...keysAlong(value[key], path.slice(key.length + 1))];
}

/** The longest key of the object on the way along the path. */
function keyOn(object: JsonObject, path: string): string | undefined {
  let best: string | undefined;
  for (const key of Object.keys(object)) {
    const fits = path === key || path.startsWith(`${key}.`);
    if (fits && (best === undefined || key.length > best.length)) best = key;
  }
  return best;
}

function elementFrom(mine: readonly Json[], theirs: readonly Json[], path: string): readonly Json[] {
  const [at, rest] = splitIndex(path);
  const own = mine[at];
  const other = theirs[at];
  if (own === undefined || other === undefined) return mine;
  if (rest === "") return mine.with(at, other);
  return isJsonObject(own) && isJsonObject(other) ? mine.with(at, withValueFrom(own, other, rest)) : mine;
}

function splitIndex(path: string): [number, string] {
  const cut = path.indexOf(".");
  return cut < 0 ? [Number(path), ""] : [Number(path.slice(0, cut)), path.slice(cut + 1)];
}

function put(object: JsonObject, key: string, value: Json | undefined): JsonObject {
  if (value !== undefined) return { ...object, [key]: value };
  const { [key]: _gone, ...rest } = object;
  return rest;
}
