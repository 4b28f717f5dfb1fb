/** A JSON object whose members nobody has looked at yet. */
export type JsonObject = { readonly [key: string]: unknown };

export function record(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

export function has(body: JsonObject, key: string): boolean {
  return Object.hasOwn(body, key);
}

export function array(body: JsonObject, key: string): readonly unknown[] {
  const value = body[key];
  return Array.isArray(value) ? value : [];
}

export function objects(body: JsonObject, key: string): JsonObject[] {
  return array(body, key)
    .map(record)
    .filter((one) => one !== undefined);
}

export function texts(body: JsonObject, key: string): string[] {
  return array(body, key).map(asText);
}

/** The text of a member as Jackson's `asText` gives it: `null` is the word "null", an object or array is empty. */
export function text(body: JsonObject, key: string, absent = ""): string {
  return has(body, key) ? asText(body[key]) : absent;
}

export function flag(body: JsonObject, key: string, absent: boolean): boolean {
  if (!has(body, key)) return absent;
  const value = body[key];
  if (typeof value === "string") return value.trim() === "true";
  return value === true || (typeof value === "number" && Math.trunc(value) !== 0);
}

/** What is not a number is 0. */
export function number(body: JsonObject, key: string): number {
  const value = body[key];
  if (typeof value === "boolean") return value ? 1 : 0;
  const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof parsed === "number" && Number.isFinite(parsed) ? parsed : 0;
}

export function integer(body: JsonObject, key: string, absent: number): number {
  return has(body, key) ? Math.trunc(number(body, key)) : absent;
}

function asText(value: unknown): string {
  return typeof value === "object" && value !== null ? "" : String(value);
}
