import type { Parser } from "yaml";
import { isJsonObject } from "./model/json.ts";

type Token = ReturnType<Parser["parse"]> extends Iterable<infer T> ? T : never;

/** Far more than any job needs; what reads a document is recursive, and V8 ends the process where its stack ends inside a regular expression. */
const DEEPEST = 100;

/** Aliases and merge keys copy what they name, so a small file must not hold many ("billion laughs"). */
export const MOST_ALIASES = 100;

const TOO_DEEP = `nested more than ${DEEPEST} levels deep`;

/** What makes a document unsafe to compose, and where, judged from its tokens and without recursion. */
export function boundsBroken(document: Token): { message: string; offset: number } | undefined {
  const open: { token: Token; depth: number }[] = [{ token: document, depth: 0 }];
  let aliases = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    if ("items" in token && depth > DEEPEST) return { message: TOO_DEEP, offset: token.offset };
    if (token.type === "alias") aliases += 1;
    if (aliases > MOST_ALIASES)
      return { message: `a document may hold at most ${MOST_ALIASES} aliases`, offset: token.offset };
    if (token.type === "document" && token.value) open.push({ token: token.value, depth: depth + 1 });
    if (!("items" in token)) continue;
    // The last that is put on the pile is looked at first, so that the first fault of the text is the one that is told.
    for (const { key, value } of [...token.items].reverse()) {
      if (value) open.push({ token: value, depth: depth + 1 });
      if (key) open.push({ token: key, depth: depth + 1 });
    }
  }
  return undefined;
}

interface Trail {
  readonly value: unknown;
  readonly name: string | number | undefined;
  readonly above: Trail | undefined;
  readonly depth: number;
}

/** The first value that JSON cannot say, and its path; aliases can nest, or hold themselves, where tokens do not show it. */
export function unsayable(value: unknown): { message: string; path: (string | number)[] } | undefined {
  const open: Trail[] = [{ value, name: undefined, above: undefined, depth: 1 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const message = flawOf(next);
    if (message !== undefined) return { message, path: pathOf(next) };
    const { value: inner, depth } = next;
    if (typeof inner !== "object" || inner === null) continue;
    const members = Array.isArray(inner) ? [...inner.entries()] : Object.entries(inner);
    for (const [name, one] of members.reverse())
      open.push({ value: one, name, above: next, depth: depth + 1 });
  }
  return undefined;
}

function flawOf({ value, depth }: Trail): string | undefined {
  if (typeof value === "object" && value !== null && depth > DEEPEST) return TOO_DEEP;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return "not a finite number";
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return "a whole number too large to be exact";
    return undefined;
  }
  if (value === null || typeof value === "string" || typeof value === "boolean" || Array.isArray(value))
    return undefined;
  if (isJsonObject(value) && Object.getPrototypeOf(value) === Object.prototype) return undefined;
  return "a kind of value that JSON does not have";
}

function pathOf(trail: Trail): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Trail | undefined = trail; at; at = at.above) if (at.name !== undefined) path.unshift(at.name);
  return path;
}
