import { type FieldChange, isJsonObject, type Json, type JsonObject, sameJson } from "@sluice/core";
import { withoutValueAt } from "./field-path.ts";

export interface DifferenceRules {
  /** Top-level fields whose lists have no order. */
  readonly sets: ReadonlySet<string>;
  /** Dotted paths that are left out. */
  readonly ignore: readonly string[];
}

/** The differences of two normalised specs by field, in the order of the desired one's fields; `from` is the live side. */
export function differences(
  desired: JsonObject,
  live: JsonObject,
  { sets, ignore }: DifferenceRules,
): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  const wanted = ignore.reduce(withoutValueAt, desired);
  const present = ignore.reduce(withoutValueAt, live);
  for (const key of keysOf(wanted, present)) {
    const [to, from] = [wanted[key], present[key]];
    if (sets.has(key) && Array.isArray(to) && Array.isArray(from)) setDiff(key, to, from, changes);
    else diff(key, to, from, changes);
  }
  return changes;
}

function diff(path: string, to: Json | undefined, from: Json | undefined, changes: FieldChange[]): void {
  if (to === from) return;
  if (isJsonObject(to) && isJsonObject(from)) {
    for (const key of keysOf(to, from)) diff(`${path}.${key}`, to[key], from[key], changes);
  } else if (isListOfObjects(to) && isListOfObjects(from) && to.length === from.length) {
    for (const [at, one] of to.entries()) diff(`${path}.${at}`, one, from[at], changes);
  } else if (to === undefined || from === undefined || !sameJson(to, from)) {
    changes.push({ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
  }
}

/** Leaves out what both sides hold, then pairs the rest, so that one changed element shows as its changed field. */
function setDiff(path: string, to: readonly Json[], from: readonly Json[], changes: FieldChange[]): void {
  const added = [...to.entries()].filter(([, one]) => !from.some((other) => sameJson(one, other)));
  const gone = from.filter((one) => !to.some((other) => sameJson(one, other)));
  if (added.length === 0 && gone.length === 0) return;
  if (to.length !== from.length || added.length !== gone.length || !isListOfObjects(to)) {
    changes.push({ path, from, to });
    return;
  }
  for (const [place, [at, one]] of added.entries()) diff(`${path}.${at}`, one, gone[place], changes);
}

/** Null stands for an ignored element. */
function isListOfObjects(value: Json | undefined): value is readonly (JsonObject | null)[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => one === null || isJsonObject(one));
}

function keysOf(a: JsonObject, b: JsonObject): readonly string[] {
  const keys = Object.keys(a);
  for (const key of Object.keys(b)) if (!(key in a)) keys.push(key);
  return keys;
}
