import { displayPath, type FilePath, type Source } from "@sluice/core";
import picomatch from "picomatch";

/** Which files of a source count. Empty or absent `include`: all of them. */
export interface Selection {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/**
 * The source as if the files that are not selected were not in the repository: `tree` and `changes` leave them out alike.
 *
 * A file counts where some `include` matches it and no `exclude` does. A glob is matched against the whole path below the
 * source's folder: `*` stays within a folder, `**` crosses folders, `{a,b}` and `[ab]` choose, a leading dot is no exception,
 * and a glob that ends with a slash means everything below that folder. A path that is not UTF-8, or that has characters
 * which cannot be shown, is matched in its KV spelling, in which each such byte is `=XX`.
 */
export function selectedSource(source: Source, selection: Selection): Source {
  const counts = selector(selection);
  if (!counts) return source;
  return {
    ...source,
    tree: async (commit, signal) => (await source.tree(commit, signal)).filter(({ path }) => counts(path)),
    changes: async (from, to, signal) =>
      (await source.changes(from, to, signal)).filter(({ path }) => counts(path)),
  };
}

function selector({ include = [], exclude = [] }: Selection): ((path: FilePath) => boolean) | undefined {
  if (include.length + exclude.length === 0) return undefined;
  const taken = include.length === 0 ? () => true : matcher(include);
  const left = matcher(exclude);
  return (path) => {
    const text = displayPath(path);
    return taken(text) && !left(text);
  };
}

function matcher(globs: readonly string[]): (path: string) => boolean {
  const whole = globs.map((glob) => (glob.endsWith("/") ? `${glob}**/*` : glob));
  return picomatch(whole, { dot: true, nonegate: true });
}
