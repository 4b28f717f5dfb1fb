/** One `key = value` of a properties file. */
export interface Property {
  readonly key: string;
  readonly value: string;
  /** 1-based line on which it begins. */
  readonly line: number;
}

/**
 * Reads a Java properties file as `java.util.Properties.load` does: comments with `#` and `!`, keys parted from values by
 * `=`, `:` or white space, lines continued by a backslash, `\n`, `\uXXXX` and the like. Every text is such a file but one
 * with a broken `\u`, which is a problem.
 */
export function readProperties(text: string): {
  properties: readonly Property[];
  problems: readonly { line: number; message: string }[];
} {
  const properties: Property[] = [];
  const problems: { line: number; message: string }[] = [];
  for (const { text: logical, line } of logicalLines(text)) {
    if (/\\u(?![0-9A-Fa-f]{4})/.test(logical.replace(/\\[^u]/gs, "")))
      problems.push({ line, message: "a \\u is not followed by four hex digits" });
    const key = /^(?:\\.|[^\\=: \t\f])*/s.exec(logical)?.[0] ?? "";
    const rest = logical.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, "");
    properties.push({ key: unescaped(key), value: unescaped(rest), line });
  }
  return { properties, problems };
}

/** Lines with those that continue them, without comments, empty lines and the white space before each. */
function* logicalLines(text: string): Iterable<{ text: string; line: number }> {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at++) {
    let whole = (lines[at] as string).replace(/^[ \t\f]+/, "");
    const line = at + 1;
    if (whole === "" || whole.startsWith("#") || whole.startsWith("!")) continue;
    while (continues(whole)) whole = whole.slice(0, -1) + (lines[++at] ?? "").replace(/^[ \t\f]+/, "");
    yield { text: whole, line };
  }
}

/** True for a line that ends with an odd number of backslashes. */
function continues(line: string): boolean {
  return ((/\\+$/.exec(line)?.[0].length ?? 0) & 1) === 1;
}

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gs, (_, hex: string | undefined, char: string) =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[char] ?? char),
  );
}

/**
 * Replaces `${name}`, from the inside out, by the value of that name: of a property above it in the file, else of the
 * variables. A name that is nowhere, and a `${` without an end, is a problem.
 */
export function withVariables(
  properties: readonly Property[],
  variables: ReadonlyMap<string, string>,
): { values: ReadonlyMap<string, string>; problems: readonly { line: number; message: string }[] } {
  const values = new Map<string, string>();
  const problems: { line: number; message: string }[] = [];
  const lookUp = (name: string) => values.get(name) ?? variables.get(name);
  for (const { key, value, line } of properties) {
    values.set(replaced(key, lookUp), replaced(value, lookUp));
    const open = /\$\{[^}]*\}?/.exec(replaced(`${key} ${value}`, lookUp))?.[0];
    if (open) problems.push({ line, message: `there is no value for ${open}` });
  }
  return { values, problems };
}

function replaced(text: string, lookUp: (name: string) => string | undefined): string {
  const next = text.replace(/\$\{([^${}]*)\}/g, (whole, name: string) => lookUp(name) ?? whole);
  return next === text ? text : replaced(next, lookUp);
}
