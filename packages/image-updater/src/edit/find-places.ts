import { readDocuments } from "@sluice/core";
import { isPair, LineCounter, type Node, type Pair, parseAllDocuments, type Scalar, visit } from "yaml";
import type { Version } from "../decide.ts";
import { canonicalName, parseReference, TAG } from "../reference.ts";

/** A place of a file that names an image. */
export interface Place {
  /** Canonical. */
  readonly name: string;
  readonly version: Version;
  /** The characters that say the version: `:1.4.1`, `:1.4.1@sha256:…`, nothing at all, or a tag that stands alone. */
  readonly start: number;
  readonly end: number;
  /** `reference`: the version follows the image's name; `tag`, `bare-tag`: a string in or without quotes that is the tag alone. */
  readonly kind: "reference" | "tag" | "bare-tag";
  readonly line: number;
}

/** A place that names an image and cannot be edited by its bytes alone. */
export interface RefusedPlace {
  readonly name: string;
  readonly line: number;
  /** The end of a sentence about the place. */
  readonly why: string;
}

export interface FoundPlaces {
  readonly places: readonly Place[];
  readonly refused: readonly RefusedPlace[];
  /** Why the file cannot be read at all. */
  readonly unreadable?: string;
}

/** `# sluice: image shop/web` behind a value, closing brackets and a comma between them. */
const MARKER = /^[ \t]*[,\]}]*[ \t]+#\s*sluice:\s*image\s+(\S+)/;

/**
 * Every place of a YAML or JSON text that names an image: the value of a key `image`; any other string that is a reference with a
 * registry or a path and with a tag or a digest, so that `redis:6379` is none; and what a comment marks. Never a key.
 */
export function findPlaces(text: string): FoundPlaces {
  const { problems } = readDocuments(Buffer.from(text));
  const [problem] = problems;
  if (problem) return { places: [], refused: [], unreadable: `line ${problem.line}: ${problem.message}` };
  const lines = new LineCounter();
  const places: Place[] = [];
  const refused: RefusedPlace[] = [];
  for (const document of parseAllDocuments(text, {
    lineCounter: lines,
    version: "1.2",
    logLevel: "silent",
  })) {
    if (!("contents" in document)) continue;
    visit(document, {
      Scalar(key, node, path) {
        if (key === "key" || typeof node.value === "bigint" || !node.range) return;
        const line = lines.linePos(node.range[0]).line;
        const found = placeOf(text, node, keyOf(key, path));
        if (found === undefined) return;
        if ("why" in found) refused.push({ ...found, line });
        else places.push({ ...found, line });
      },
    });
  }
  return { places, refused };
}

function keyOf(key: unknown, path: readonly (Node | Pair | unknown)[]): string | undefined {
  const pair = key === "value" ? path.at(-1) : undefined;
  if (!isPair(pair)) return undefined;
  return String((pair.key as { value?: unknown } | null)?.value ?? "").toLowerCase();
}

type Found = Omit<Place, "line"> | Omit<RefusedPlace, "line">;

function placeOf(text: string, node: Scalar, key: string | undefined): Found | undefined {
  const [start, end] = node.range ?? [0, 0];
  const marked = markedName(text, end);
  const value = typeof node.value === "string" ? node.value : text.slice(start, end);
  const reference = typeof node.value === "string" ? parseReference(value.trim()) : undefined;
  const name = reference && canonicalName(reference.name);
  if (marked !== undefined && name !== marked) return markedTag(text, node, marked, value);
  if (!reference || name === undefined) return undefined;
  const telling =
    reference.name.includes("/") && (reference.tag !== undefined || reference.digest !== undefined);
  if (key !== "image" && !telling && marked === undefined) return undefined;
  const inner = innerRange(text, node);
  if (!inner || text.slice(...inner) !== value) return { name, why: howWritten(node) };
  const { tag, digest } = reference;
  return {
    name,
    version: { tag, digest },
    kind: "reference",
    start: inner[0] + reference.name.length,
    end: inner[1],
  };
}

function markedName(text: string, end: number): string | undefined {
  const lineEnd = text.indexOf("\n", end);
  const name = MARKER.exec(text.slice(end, lineEnd < 0 ? text.length : lineEnd))?.[1];
  return name === undefined ? undefined : canonicalName(name);
}

function markedTag(text: string, node: Scalar, name: string, value: string): Found {
  const inner = innerRange(text, node);
  if (!inner || text.slice(...inner) !== value) return { name, why: howWritten(node) };
  if (!TAG.test(value)) return { name, why: "is neither the image it is marked as nor a tag" };
  const kind = node.type === "PLAIN" ? "bare-tag" : "tag";
  return { name, version: { tag: value, digest: undefined }, kind, start: inner[0], end: inner[1] };
}

/** The characters between the quotes, or of the plain scalar; undefined for blocks. */
function innerRange(text: string, { type, range }: Scalar): [number, number] | undefined {
  if (!range) return undefined;
  const [start, end] = range;
  if (type === "PLAIN") return [start, end];
  if (type !== "QUOTE_SINGLE" && type !== "QUOTE_DOUBLE") return undefined;
  return text[start] === text[end - 1] ? [start + 1, end - 1] : undefined;
}

function howWritten({ type }: Scalar): string {
  return type === "BLOCK_FOLDED" || type === "BLOCK_LITERAL"
    ? "is written as a block; write it on the line of its key"
    : "is written with escapes, blanks or over several lines; write it as it is, on one line";
}
