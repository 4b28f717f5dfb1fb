import { isNode, LineCounter, parseAllDocuments, type Document as YamlDocument } from "yaml";
import type { Json } from "./model/json.ts";

/** One YAML or JSON document of a file, as a value that knows its lines. */
export interface TextDocument {
  readonly value: Json;
  /** 1-based place of the value at a path, or of its nearest ancestor that is there. */
  locate(path: readonly (string | number)[]): TextPlace;
}

export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

export interface SyntaxProblem extends TextPlace {
  readonly message: string;
}

/** Aliases may multiply a file's size at most this often: a small file must not become a large value ("billion laughs"). */
const MOST_ALIASES = 100;

/**
 * Reads every document of a YAML 1.2 (hence also JSON) text. Empty documents are left out. A file with a syntax problem, a
 * duplicate key, bytes that are not UTF-8, or a value JSON cannot say has problems and no documents.
 */
export function readDocuments(bytes: Uint8Array): {
  documents: readonly TextDocument[];
  problems: readonly SyntaxProblem[];
} {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { documents: [], problems: [{ line: 1, column: 1, message: "the file is not UTF-8 text" }] };
  }
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    version: "1.2",
    stringKeys: true,
  });
  const documents: TextDocument[] = [];
  const problems: SyntaxProblem[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    for (const error of document.errors)
      problems.push({ ...placeAt(lines, error.pos[0]), message: error.message });
    if (document.errors.length === 0 && document.contents !== null)
      addDocument(document, lines, documents, problems);
  }
  return problems.length > 0 ? { documents: [], problems } : { documents, problems };
}

function addDocument(
  document: YamlDocument,
  lines: LineCounter,
  documents: TextDocument[],
  problems: SyntaxProblem[],
): void {
  const start = document.contents?.range?.[0] ?? 0;
  try {
    const value = document.toJS({ maxAliasCount: MOST_ALIASES }) as Json;
    JSON.stringify(value, refuseUnsayable);
    documents.push({ value, locate: (path) => locate(document, lines, path) });
  } catch (error) {
    problems.push({
      ...placeAt(lines, start),
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

function refuseUnsayable(key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new Error(`"${key}" is not a finite number`);
  if (typeof value === "bigint") throw new Error(`"${key}" is a number too large to be exact`);
  return value;
}

function locate(document: YamlDocument, lines: LineCounter, path: readonly (string | number)[]): TextPlace {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range)
      return placeAt(lines, keyStart(document, path.slice(0, length)) ?? node.range[0]);
  }
  return { line: 1, column: 1 };
}

/** Where the key stands, since a nested value may begin on the line below its key. */
function keyStart(document: YamlDocument, path: readonly (string | number)[]): number | undefined {
  if (path.length === 0) return undefined;
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const items = (
    parent as { items?: readonly { key?: { value?: unknown; range?: readonly number[] } }[] } | undefined
  )?.items;
  return items?.find((pair) => pair.key?.value === path.at(-1))?.key?.range?.[0];
}

function placeAt(lines: LineCounter, offset: number): TextPlace {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
