import { isUtf8 } from "node:buffer";
import { isSluiceError, messageOf, readDocuments, type TextPlace } from "@sluice/core";
import { type FlatValue, flatten } from "./flatten.ts";
import { pathOfKey } from "./key-name.ts";
import { plainJson } from "./plain-json.ts";
import { readProperties, withVariables } from "./properties.ts";
import type { ExpandRules, FileFormat } from "./rules.ts";

/** One key that a file becomes. */
export interface ExpandedValue {
  /** Behind the file's own key: "/database/host"; empty for the file's own key. */
  readonly suffix: string;
  readonly bytes: Uint8Array;
}

/** What is wrong with a file, where it is known on which line. */
export interface ExpandProblem {
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

export interface Expansion {
  readonly values: readonly ExpandedValue[];
  /** Not empty: the file must refuse the revision. */
  readonly problems: readonly ExpandProblem[];
}

/** How one content is to be seen; a content's expansion depends on nothing else. */
export interface ExpandHow {
  readonly format: FileFormat | "text";
  readonly rules: ExpandRules;
  readonly variables: ReadonlyMap<string, string>;
}

/** The keys and values of one file's content. Never throws. */
export function expandFile(bytes: Uint8Array, { format, rules, variables }: ExpandHow): Expansion {
  if (format === "text") return { values: [asItIs(bytes, rules)], problems: [] };
  const read = named(
    format === "properties" ? fromProperties(bytes, variables) : fromDocument(bytes, format, rules),
  );
  if (read.problems.length === 0) return read;
  return rules.invalid === "raw" ? { values: [asItIs(bytes, rules)], problems: [] } : read;
}

function asItIs(bytes: Uint8Array, { trim }: ExpandRules): ExpandedValue {
  const text = trim && isUtf8(bytes) ? Buffer.from(bytes).toString("utf8") : undefined;
  return { suffix: "", bytes: text === undefined ? bytes : Buffer.from(text.trim()) };
}

interface Read {
  readonly values: readonly FlatValue[];
  readonly problems: readonly ExpandProblem[];
  /** Where a value stands; asked only for what is wrong, since the search is long in a large document. */
  readonly locate?: ((path: FlatValue["path"]) => TextPlace) | undefined;
}

function fromDocument(bytes: Uint8Array, format: "json" | "yaml", { lists }: ExpandRules): Read {
  const plain = format === "json" ? plainJson(bytes) : undefined;
  if (plain !== undefined)
    return { values: flatten(plain, lists), problems: [], locate: (path) => placeIn(bytes, path) };
  const { documents, problems } = readDocuments(bytes);
  if (problems.length > 0) return { values: [], problems };
  const [document, second] = documents;
  if (second) {
    const message = "the file holds more than one document; only one can become keys";
    return { values: [], problems: [{ ...second.locate([]), message }] };
  }
  const wrong = format === "json" ? notJson(bytes) : undefined;
  if (wrong) return { values: [], problems: [wrong] };
  const values = document ? flatten(document.value, lists) : [];
  return { values, problems: [], locate: document?.locate };
}

function placeIn(bytes: Uint8Array, path: FlatValue["path"]): TextPlace {
  return readDocuments(bytes).documents[0]?.locate(path) ?? { line: 1, column: 1 };
}

/** YAML takes more than JSON; a file that says it is JSON should be. */
function notJson(bytes: Uint8Array): ExpandProblem | undefined {
  try {
    JSON.parse(Buffer.from(bytes).toString("utf8").trim());
    return undefined;
  } catch (error) {
    return { message: `the file is not JSON: ${messageOf(error)}` };
  }
}

function fromProperties(bytes: Uint8Array, variables: ReadonlyMap<string, string>): Read {
  if (!isUtf8(bytes)) return { values: [], problems: [{ line: 1, message: "the file is not UTF-8 text" }] };
  const { properties, problems } = readProperties(Buffer.from(bytes).toString("utf8"));
  const replaced = withVariables(properties, variables);
  const values = [...replaced.values].map(([key, text]) => ({ path: [key], text }));
  return { values, problems: [...problems, ...replaced.problems] };
}

function named({ values, problems, locate }: Read): Expansion {
  const all: ExpandProblem[] = [...problems];
  const expanded: ExpandedValue[] = [];
  for (const { path, text } of values) {
    try {
      const suffix = path.map((part) => `/${encodeURIComponent(part)}`).join("");
      if (suffix !== "") pathOfKey(`file${suffix}`);
      expanded.push({ suffix, bytes: Buffer.from(text) });
    } catch (error) {
      const why = isSluiceError(error) ? messageOf(error) : "it is not well-formed Unicode";
      all.push({ ...locate?.(path), message: `${JSON.stringify(path.join("."))} makes no key: ${why}` });
    }
  }
  return { values: expanded, problems: all };
}

/** The variables that a common properties file gives to others; what is wrong with it leaves it without any. */
export function variablesIn(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  if (!isUtf8(bytes)) return undefined;
  const { properties, problems } = readProperties(Buffer.from(bytes).toString("utf8"));
  const { values, problems: open } = withVariables(properties, new Map());
  return problems.length + open.length === 0 ? values : undefined;
}
