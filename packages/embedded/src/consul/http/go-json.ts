import { ConsulError } from "./answer.ts";

/** A decoded JSON object whose field names are matched as Go does it: whatever their case. */
export type Fields = ReadonlyMap<string, unknown>;

/**
 * Parses a body in the words of Go's decoder, which clients print.
 *
 * @param what starts the error's sentence, for example `Request decode failed`.
 * @throws ConsulError (400).
 */
export function decodeJson(body: Buffer, what: string): unknown {
  const text = body.toString();
  if (text.trim() === "") throw new ConsulError(400, `${what}: EOF`);
  try {
    return JSON.parse(exactFlags(text));
  } catch {
    const first = text.trim()[0] ?? "";
    const known = /[[{"\-\dtfn]/.test(first);
    const reason = known ? "invalid JSON" : `invalid character '${first}' looking for beginning of value`;
    throw new ConsulError(400, `${what}: ${reason}`);
  }
}

/** Turns flags beyond what a JavaScript number holds into strings before they lose digits. */
function exactFlags(text: string): string {
  return /\d{16}/.test(text) ? text.replace(/(?<!\\)"Flags"(\s*:\s*)(\d{16,})/gi, '"Flags"$1"$2"') : text;
}

/** A parsed object by lower-case names without underscores; undefined for anything else. */
export function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).map(([name, field]) => [folded(name), field]));
}

/** Decodes a body that must be an object; an empty one is an empty object where `optional`. */
export function decodeObject(
  body: Buffer,
  { optional = false, what = "Request decode failed" } = {},
): Fields {
  if (optional && body.length === 0) return new Map();
  const parsed = decodeJson(body, what);
  const fields = parsed === null ? new Map<string, unknown>() : fieldsOf(parsed);
  if (!fields) throw new ConsulError(400, `${what}: json: cannot unmarshal ${kindOf(parsed)} into Go value`);
  return fields;
}

/** @throws ConsulError (400) naming the first field that is not in `known`. */
export function refuseUnknown(value: object, known: readonly string[], what = "Request decode failed"): void {
  const folds = new Set(known.map(folded));
  const unknown = Object.keys(value).find((name) => !folds.has(folded(name)));
  if (unknown !== undefined)
    throw new ConsulError(400, `${what}: json: unknown field ${JSON.stringify(unknown)}`);
}

export function text(fields: Fields, name: string): string {
  return typed(fields, name, "string", "");
}

export function integer(fields: Fields, name: string): number {
  return typed(fields, name, "number", 0);
}

export function flag(fields: Fields, name: string): boolean {
  return typed(fields, name, "boolean", false);
}

/** A list of strings; null and a missing field are undefined. */
export function texts(fields: Fields, name: string): string[] | undefined {
  const value = fields.get(folded(name)) ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  throw wrongType(value, name, "[]string");
}

/** A list of objects. */
export function objects(fields: Fields, name: string): object[] {
  const value = fields.get(folded(name)) ?? [];
  if (Array.isArray(value) && value.every((one) => fieldsOf(one))) return [...value];
  throw wrongType(value, name, "[]struct");
}

/** A map of strings. */
export function dictionary(fields: Fields, name: string): Record<string, string> | undefined {
  const value = fields.get(folded(name)) ?? undefined;
  if (value === undefined) return undefined;
  if (fieldsOf(value) && Object.values(value).every((one) => typeof one === "string")) {
    return value as Record<string, string>;
  }
  throw wrongType(value, name, "map[string]string");
}

interface Kinds {
  string: string;
  number: number;
  boolean: boolean;
}

function typed<K extends keyof Kinds>(fields: Fields, name: string, kind: K, fallback: Kinds[K]): Kinds[K] {
  const value = fields.get(folded(name)) ?? fallback;
  if (typeof value === kind) return value as Kinds[K];
  throw wrongType(value, name, GO_NAMES[kind]);
}

const GO_NAMES = { string: "string", number: "int", boolean: "bool" };

function wrongType(value: unknown, name: string, type: string): ConsulError {
  return new ConsulError(
    400,
    `Request decode failed: json: cannot unmarshal ${kindOf(value)} into Go struct field .${name} of type ${type}`,
  );
}

export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value;
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}
