import { Composer, isNode, LineCounter, Parser, type Document as YamlDocument } from "yaml";
import { boundsBroken, MOST_ALIASES, unsayable } from "./document-bounds.ts";
import { plainJson } from "./document-json.ts";
import { messageOf } from "./errors.ts";
import type { Json } from "./model/json.ts";

/** One YAML or JSON document of a file, as a value that knows its lines. */
export interface TextDocument {
  readonly value: Json;
  /** 1-based place of the key (or list item) at a path, or of its nearest ancestor that is there. */
  locate(path: readonly (string | number)[]): TextPlace;
}

export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

export interface SyntaxProblem extends TextPlace {
  readonly message: string;
}

/**
 * Reads every document of a YAML 1.2 (hence also JSON) text, merge keys (`<<`) included. Empty documents and `null` are left
 * out. A file with a syntax problem, a duplicate key, an unknown tag, bytes that are not UTF-8, more than 100 levels or 100
 * aliases, or a value JSON cannot say exactly has problems and no documents. Never throws.
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
  const json = plainJson(text);
  if (json !== undefined) return { documents: [jsonDocument(json, text)], problems: [] };
  return readYaml(text);
}

/** Places are looked up only where something is to be said; a job's own line is that of its first brace. */
function jsonDocument(value: Json, text: string): TextDocument {
  let read: TextDocument | undefined;
  return {
    value,
    locate(path) {
      if (path.length > 0) read ??= readYaml(text).documents[0];
      return read?.locate(path) ?? firstPlace(text);
    },
  };
}

function firstPlace(text: string): TextPlace {
  const before = text.slice(0, text.search(/\S/)).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function readYaml(text: string): ReturnType<typeof readDocuments> {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  for (const token of tokens) {
    const broken = boundsBroken(token);
    if (broken)
      return { documents: [], problems: [{ ...placeAt(lines, broken.offset), message: broken.message }] };
  }
  const composer = new Composer({ uniqueKeys: true, version: "1.2", stringKeys: true, merge: true });
  const documents: TextDocument[] = [];
  const problems: SyntaxProblem[] = [];
  for (const document of composer.compose(tokens)) addDocument(document, lines, documents, problems);
  return problems.length > 0 ? { documents: [], problems } : { documents, problems };
}

/** A problem names this much of a path; one that is too deep is a hundred keys long. */
const NAMED_KEYS = 10;

function addDocument(
  document: YamlDocument,
  lines: LineCounter,
  documents: TextDocument[],
  problems: SyntaxProblem[],
): void {
  const flaws = [...document.errors, ...document.warnings];
  for (const { pos, message } of flaws)
    problems.push({ ...placeAt(lines, pos[0]), message: withoutContent(message) });
  if (flaws.length > 0 || document.contents === null) return;
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    const flaw = unsayable(value);
    if (flaw) {
      const what = flaw.path.length > 0 ? `"${flaw.path.slice(0, NAMED_KEYS).join(".")}"` : "the document";
      problems.push({ ...locate(document, lines, flaw.path), message: `${what} is ${flaw.message}` });
    } else if (value !== null)
      documents.push({ value: value as Json, locate: (path) => locate(document, lines, path) });
  } catch (error) {
    problems.push({
      ...placeAt(lines, document.contents.range?.[0] ?? 0),
      message: withoutContent(messageOf(error)),
    });
  }
}

/** The library quotes what it stumbled over, which may be a password that was not put in quotes. */
function withoutContent(message: string): string {
  return message.replace(/(: | %|\\).*$/s, "");
}

function locate(document: YamlDocument, lines: LineCounter, path: readonly (string | number)[]): TextPlace {
  for (let length = path.length; length >= 0; length--) {
    const offset = startOf(document, path.slice(0, length));
    if (offset !== undefined) return placeAt(lines, offset);
  }
  return { line: 1, column: 1 };
}

/** Where the key stands, since its value may begin on a line below, or not be written at all. */
function startOf(document: YamlDocument, path: readonly (string | number)[]): number | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  const parent: unknown = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const items = (
    parent as
      | { items?: readonly { key?: { value?: unknown; range?: readonly number[] } }[] }
      | null
      | undefined
  )?.items;
  const key = path.length === 0 ? undefined : items?.find((pair) => pair.key?.value === path.at(-1))?.key;
  return key?.range?.[0] ?? (isNode(node) ? node.range?.[0] : undefined);
}

function placeAt(lines: LineCounter, offset: number): TextPlace {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
