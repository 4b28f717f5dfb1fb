import type { FilePath } from "@sluice/core";

/** What becomes of a list inside of an expanded file. */
export const LIST_RULES = ["index", "json", "join", "ignore"] as const;
export type ListRule = (typeof LIST_RULES)[number];

/** How the files of a repository become keys. Paths of the repository are texts, without slashes around them. */
export interface ExpandRules {
  /** Before every key: `config/shop/master`; empty: none. Slashes stand between it and the rest, not around it. */
  readonly prefix: string;
  /** Only files below this folder become keys, and it is no part of them; empty: all. */
  readonly sourceRoot: string;
  /** `.json`, `.yaml`, `.yml` and `.properties` files become a key per value: `<file>/<key>/<key>`. */
  readonly expand: boolean;
  /** Leaves those extensions out of the keys of the files that are expanded. */
  readonly dropExtensions: boolean;
  /**
   * A list becomes a key per item, named by its place from 0 (`index`); one key with the list as JSON (`json`); one key with
   * the items, comma between them, or JSON where an item is itself a list or a map (`join`); nothing (`ignore`). A list that
   * is the whole document is named by places except with `json` and `join`.
   */
  readonly lists: ListRule;
  /** A file that cannot be expanded refuses the revision, or becomes one key with its content. */
  readonly invalid: "refuse" | "raw";
  /** Takes white space off both ends of the text files that are not expanded. Other files keep every byte. */
  readonly trim: boolean;
  /** Path of the `.properties` file whose values `${name}` in every other one may name. */
  readonly commonProperties?: string | undefined;
  /** Says why a key must not be written, or undefined where it may. */
  readonly forbids?: ((key: string) => string | undefined) | undefined;
}

export type FileFormat = "json" | "yaml" | "properties";

const FORMATS: Readonly<Record<string, FileFormat>> = {
  json: "json",
  yaml: "yaml",
  yml: "yaml",
  properties: "properties",
};

/** What a file is by its name; undefined: not one that can be expanded. */
export function formatOf(path: FilePath): FileFormat | undefined {
  return FORMATS[extensionOf(path)];
}

/** The part behind the last dot; a path without one is its own. */
export function extensionOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
