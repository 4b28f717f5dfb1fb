import { type FilePath, messageOf, type ObjectId, type Problem, type TreeFile } from "@sluice/core";
import type { Content, Expansions, Outline } from "./expansions.ts";
import { keyOfFile, pathOfKey } from "./key-name.ts";
import { type ExpandRules, formatOf } from "./rules.ts";

/** A key as a file of the mirror, and the file of the repository that it comes from. */
export interface PresentedFile {
  readonly path: FilePath;
  readonly oid: ObjectId;
  readonly source: FilePath;
}

/** What files of the repository become, and what is wrong with them. */
export interface Presented {
  readonly files: readonly PresentedFile[];
  readonly problems: readonly Problem[];
}

/** The keys of these files; what is no plain file, or not below the source root, has none. */
export async function present(
  files: readonly TreeFile[],
  variables: ObjectId | undefined,
  { rules, expansions }: { readonly rules: ExpandRules; readonly expansions: Expansions },
  signal?: AbortSignal,
): Promise<Presented> {
  const seen = files.flatMap((file) => {
    const key = file.kind === "file" ? keyOfFile(file.path, rules) : undefined;
    return key === undefined ? [] : [{ file, key, content: contentOf(file, variables, rules) }];
  });
  const contents = seen.flatMap(({ content }) => (content ? [content] : []));
  const outlines = (await expansions.outlines(contents, signal))[Symbol.iterator]();
  const presented: PresentedFile[] = [];
  const problems: Problem[] = [];
  for (const { file, key, content } of seen) {
    const outline = content
      ? (outlines.next().value as Outline)
      : { keys: [{ suffix: "", oid: file.oid }], problems: [] };
    for (const problem of outline.problems) problems.push(problemOf(file.path, problem));
    for (const { suffix, oid } of outline.keys) {
      const place = placeOf(`${key}${suffix}`, rules);
      if ("path" in place) presented.push({ path: place.path, oid, source: file.path });
      else problems.push(problemOf(file.path, place));
    }
  }
  return { files: presented, problems };
}

/** How a file's content is to be seen; undefined: as it is. */
function contentOf(
  { path, oid }: TreeFile,
  variables: ObjectId | undefined,
  rules: ExpandRules,
): Content | undefined {
  const format = rules.expand ? formatOf(path) : undefined;
  if (format) return { oid, format, variables: format === "properties" ? variables : undefined };
  return rules.trim ? { oid, format: "text", variables: undefined } : undefined;
}

function placeOf(key: string, { forbids }: ExpandRules): { path: FilePath } | { message: string } {
  const why = forbids?.(key);
  if (why !== undefined) return { message: `the key "${key}" must not be written: ${why}` };
  try {
    return { path: pathOfKey(key) };
  } catch (error) {
    return { message: `it makes no key: ${messageOf(error)}` };
  }
}

function problemOf(
  file: FilePath,
  { message, line, column }: { message: string; line?: number; column?: number },
): Problem {
  return {
    file,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    reason: "InvalidSpec",
    message,
  };
}

/** Two files must not become the same key. */
export function sameKey(one: PresentedFile, other: FilePath, key: string): Problem {
  return {
    file: one.source,
    reason: "Duplicate",
    message: `the key "${key}" also comes from the file "${other}"`,
    hint: "Rename one of the two files.",
  };
}
