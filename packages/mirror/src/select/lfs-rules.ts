import { decodePath, type FilePath } from "@sluice/core";
import { gitGlob } from "./git-glob.ts";

/** A `.gitattributes`; folders are spelled as paths of files are. */
export interface AttributesText {
  /** The folder it is in, below the source's root; "" for the root and for what is above. */
  readonly folder: string;
  /** For a file above the source's root: that root as seen from the file's folder; else "". */
  readonly below: string;
  /** Its bytes, one per character. */
  readonly text: string;
}

interface Rule {
  readonly matches: (path: string) => boolean;
  readonly lfs: boolean;
}

interface Layer extends Pick<AttributesText, "below"> {
  /** The last line first: it is the one that counts. */
  readonly rules: readonly Rule[];
}

/**
 * Which files Git gives to Git LFS, by these `.gitattributes`; undefined where none mentions it.
 *
 * As `git help attributes` has it: the last line that matches counts, a deeper folder's file counts before a higher one's,
 * a pattern without a slash is matched against the name alone, `-filter`, `!filter` and any other filter take a file out,
 * a pattern may stand in quotes, one that ends with a slash or begins with `!` matches nothing, and `[attr]` names a macro.
 * @param files those above the source's root in order, the repository's root first.
 */
export function lfsRules(files: readonly AttributesText[]): ((path: FilePath) => boolean) | undefined {
  if (!files.some(({ text }) => text.includes("filter=lfs"))) return undefined;
  const macros = macrosIn(files);
  const inside = new Map<string, Layer>();
  const above: Layer[] = [];
  for (const { folder, below, text } of files) {
    const layer = { below: bytesOf(below), rules: rulesIn(text, macros) };
    if (below === "") inside.set(bytesOf(folder), layer);
    else above.unshift(layer);
  }
  return (path) => {
    const name = bytesOf(path);
    for (let end = name.lastIndexOf("/"); ; end = name.lastIndexOf("/", end - 1)) {
      const verdict = verdictOf(inside.get(name.slice(0, Math.max(end, 0))), name.slice(end + 1));
      if (verdict !== undefined) return verdict;
      if (end <= 0) break;
    }
    for (const layer of above) {
      const verdict = verdictOf(layer, `${layer.below}/${name}`);
      if (verdict !== undefined) return verdict;
    }
    return false;
  };
}

/** A path's bytes, one per character: Git matches bytes. */
function bytesOf(path: string): string {
  return Buffer.from(decodePath(path as FilePath)).toString("latin1");
}

function verdictOf(layer: Layer | undefined, path: string): boolean | undefined {
  return layer?.rules.find(({ matches }) => matches(path))?.lfs;
}

function macrosIn(files: readonly AttributesText[]): ReadonlyMap<string, boolean> {
  const macros = new Map<string, boolean>();
  for (const { folder, text } of files) {
    if (folder !== "") continue;
    for (const line of linesOf(text)) {
      const [, name, rest = ""] = /^[ \t]*\[attr\]([^ \t\r]+)([\s\S]*)$/.exec(line) ?? [];
      const verdict = filterOf(rest, macros);
      if (name !== undefined && verdict !== undefined) macros.set(name, verdict);
    }
  }
  return macros;
}

function rulesIn(text: string, macros: ReadonlyMap<string, boolean>): Rule[] {
  const rules: Rule[] = [];
  for (const line of linesOf(text)) {
    const [, quoted, bare, rest = ""] =
      /^[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t\r]+))([\s\S]*)$/.exec(line) ?? [];
    const pattern = quoted === undefined ? bare : unquote(quoted);
    if (pattern === undefined || (quoted === undefined && /^(#|\[attr\])/.test(pattern))) continue;
    const lfs = filterOf(rest, macros);
    if (lfs !== undefined) rules.unshift({ matches: matcherOf(pattern), lfs });
  }
  return rules;
}

/** As Git, which passes over a byte order mark and over a line that is longer than this. */
const LONGEST_LINE = 2048;

function linesOf(text: string): readonly string[] {
  const lines = text.replace(/^\xef\xbb\xbf/, "").split("\n");
  return lines.filter(({ length }) => length < LONGEST_LINE);
}

/** What a line's attributes say of the filter; undefined: nothing. */
function filterOf(attributes: string, macros: ReadonlyMap<string, boolean>): boolean | undefined {
  let verdict: boolean | undefined;
  for (const one of attributes.split(/[ \t\r]+/)) {
    if (/^([-!]?filter|filter=.*)$/.test(one)) verdict = one === "filter=lfs";
    else verdict = macros.get(one) ?? verdict;
  }
  return verdict;
}

function matcherOf(pattern: string): (path: string) => boolean {
  if (pattern.startsWith("!") || pattern.endsWith("/")) return () => false;
  const matches = gitGlob(pattern.replace(/^\//, ""));
  return pattern.includes("/") ? matches : (path) => matches(path.slice(path.lastIndexOf("/") + 1));
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** As a text of C: `\t`, `\"`, `\303`. */
function unquote(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/g, (_, one: string) =>
    one.length === 3 ? String.fromCharCode(Number.parseInt(one, 8) & 0xff) : (ESCAPES[one] ?? one),
  );
}
