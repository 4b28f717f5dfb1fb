import { isJsonObject, type Json, suggest } from "@sluice/core";
import type { z } from "zod";
import { keysAt } from "./schema.ts";

/** Something wrong at a path of one document; a Problem that does not yet know its file. */
export interface Complaint {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
}

type Issue = z.core.$ZodIssue;
type Path = readonly (string | number)[];

/**
 * Checks a value and says everything that is wrong with it, in words.
 * @param strange what to say of unknown top-level keys that people are likely to write, as message and hint.
 */
export function complaintsOf(
  schema: z.ZodType,
  value: Json,
  strange: Readonly<Record<string, string>> = {},
): readonly Complaint[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => inWords(issue, [], { schema, value, strange }));
}

interface Checked {
  readonly schema: z.ZodType;
  readonly value: Json;
  readonly strange: Readonly<Record<string, string>>;
}

function inWords(issue: Issue, base: Path, checked: Checked): Complaint[] {
  const path = [...base, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key, checked));
    case "invalid_union":
      return bestBranch(issue.errors, path, checked);
    case "invalid_type":
      return [wrongType(path, issue.expected, checked.value)];
    case "invalid_value":
      return [
        {
          path,
          message: `must be ${issue.values.map(String).join(" or ")}${near(valueAt(checked.value, path), issue.values)}`,
        },
      ];
    case "too_small":
      return [{ path, message: ownWords(issue) ?? `must be at least ${size(issue.origin, issue.minimum)}` }];
    case "too_big":
      return [{ path, message: ownWords(issue) ?? `must be at most ${size(issue.origin, issue.maximum)}` }];
    default:
      return [{ path, message: issue.message }];
  }
}

function unknownKey(path: Path, key: string, { schema, strange }: Checked): Complaint {
  const hint = path.length === 0 ? strange[key] : undefined;
  const message = `unknown key "${key}"`;
  if (hint !== undefined) return { path: [...path, key], message, hint };
  return { path: [...path, key], message: message + suggest(key, keysAt(schema, path) ?? []) };
}

/** Of the ways a value could have been written, speaks of the one it comes closest to. */
function bestBranch(branches: readonly Issue[][], path: Path, checked: Checked): Complaint[] {
  const inner = branches.find((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code === "unrecognized_keys"),
  );
  if (inner) return inner.flatMap((issue) => inWords(issue, path, checked));
  const options = branches.flat().map((issue) => {
    if (issue.code === "invalid_type") return nameOfType(issue.expected);
    return issue.code === "invalid_value" ? issue.values.map((one) => `"${String(one)}"`).join(" or ") : "";
  });
  if (options.includes("")) return branches[0]?.flatMap((issue) => inWords(issue, path, checked)) ?? [];
  const hint = options.includes("a text") ? quoteHint(valueAt(checked.value, path)) : undefined;
  return [{ path, message: `must be ${options.join(" or ")}`, ...(hint ? { hint } : {}) }];
}

function wrongType(path: Path, expected: string, value: Json): Complaint {
  const found = valueAt(value, path);
  if (found === undefined) return { path, message: "is missing" };
  const hint = expected === "string" ? quoteHint(found) : undefined;
  return {
    path,
    message: `must be ${nameOfType(expected)}, not ${nameOfValue(found)}`,
    ...(hint ? { hint } : {}),
  };
}

function quoteHint(found: Json | undefined): string | undefined {
  if (found === null) return 'write "" for an empty text, or leave the key out';
  return typeof found === "number" || typeof found === "boolean" ? "put the value in quotes" : undefined;
}

function nameOfType(expected: string): string {
  if (expected === "string") return "a text";
  if (expected === "object" || expected === "record") return "a mapping";
  if (expected === "array" || expected === "tuple") return "a list";
  if (expected === "int") return "a whole number";
  return expected === "boolean" ? "true or false" : `a ${expected}`;
}

function nameOfValue(value: Json): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (isJsonObject(value)) return "a mapping";
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : "a fraction";
  return typeof value === "string" ? "a text" : "true or false";
}

function valueAt(value: Json, path: Path): Json | undefined {
  let at: Json | undefined = value;
  for (const key of path) {
    if (Array.isArray(at)) at = at[Number(key)];
    else at = isJsonObject(at) ? at[String(key)] : undefined;
  }
  return at;
}

function near(found: Json | undefined, values: readonly unknown[]): string {
  return typeof found === "string" ? suggest(found, values.map(String)) : "";
}

/** The sentence a schema gives itself, as opposed to the library's English. */
function ownWords(issue: Issue): string | undefined {
  return issue.message.startsWith("Too ") ? undefined : issue.message;
}

function size(origin: string, limit: number | bigint): string {
  if (origin === "string") return `${limit} characters long`;
  return origin === "array" || origin === "set" ? `${limit} long` : String(limit);
}
