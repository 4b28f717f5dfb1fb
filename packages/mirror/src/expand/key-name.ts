import { isUtf8 } from "node:buffer";
import { decodePath, encodePath, type FilePath } from "@sluice/core";
import { type ExpandRules, extensionOf, formatOf } from "./rules.ts";

/**
 * The key of a file, as people write it: the text of the path, or its KV spelling where it is not UTF-8; undefined for a file
 * outside of the source root.
 */
export function keyOfFile(path: FilePath, rules: ExpandRules): string | undefined {
  const text = pathText(path);
  const above = rules.sourceRoot === "" ? "" : `${rules.sourceRoot}/`;
  if (!text.startsWith(above)) return undefined;
  const inside = text.slice(above.length);
  const bare =
    rules.expand && rules.dropExtensions && formatOf(path)
      ? inside.slice(0, -extensionOf(inside).length - 1)
      : inside;
  return rules.prefix === "" ? bare : `${rules.prefix}/${bare}`;
}

/** A path as text; one that is not UTF-8 in its KV spelling. */
export function pathText(path: FilePath): string {
  if (!path.includes("=")) return path;
  const bytes = decodePath(path);
  return isUtf8(bytes) ? Buffer.from(bytes).toString("utf8") : path;
}

/** The key as a path of the mirror. @throws PATH_UNSAFE for a key with empty, "." or ".." segments. */
export function pathOfKey(key: string): FilePath {
  return encodePath(key);
}

/** The key that such a path stands for. */
export function keyOfPath(path: FilePath): string {
  return path.includes("=") ? Buffer.from(decodePath(path)).toString("utf8") : path;
}
