import type { CommitId, FilePath, ObjectId } from "@sluice/core";
import { type BoundedCache, boundedCache } from "../expand/bounded-cache.ts";
import type { AttributesFiles } from "./attributes-files.ts";

/** What is known of a repository's commits and contents. Sources of the same folder of one repository may share it. */
export interface LfsMemory {
  readonly files: BoundedCache<CommitId, AttributesFiles>;
  /** The texts of `.gitattributes`. */
  readonly texts: BoundedCache<ObjectId, string>;
  /** The predicates of sets of `.gitattributes`; `none` where they do not mention Git LFS. */
  readonly rules: BoundedCache<string, ((path: FilePath) => boolean) | "none">;
  /** Whether a content is a pointer. */
  readonly pointers: BoundedCache<ObjectId, boolean>;
}

const MOST_FILES = 20_000;
const MOST_CHARACTERS = 4 * 1024 * 1024;
const MOST_RULES = 32;
const MOST_POINTERS = 200_000;

export function lfsMemory(): LfsMemory {
  return {
    files: boundedCache(MOST_FILES, ({ size }) => size),
    texts: boundedCache(MOST_CHARACTERS, ({ length }) => length),
    rules: boundedCache(MOST_RULES, () => 0),
    pointers: boundedCache(MOST_POINTERS, () => 0),
  };
}
