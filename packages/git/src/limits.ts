/** What a repository may ask of us. Whatever is beyond is refused by an error that names the limit. */
export interface SourceLimits {
  /** A file longer than this is not read (FILE_TOO_LARGE). Default: 64 MiB. */
  readonly maxFileBytes: number;
  /** A commit with more files or more folders, or a folder with more entries, is refused (LIMIT_EXCEEDED). Default: 200,000. */
  readonly maxFiles: number;
  /** Folders nested deeper are refused (LIMIT_EXCEEDED). Default: 100. */
  readonly maxDepth: number;
  /** A fetch that brings more than this is broken off (LIMIT_EXCEEDED). Default: 1 GiB. */
  readonly maxFetchBytes: number;
  /** How long one fetch may last, in milliseconds. Default: 10 min. */
  readonly fetchTimeoutMs: number;
}

export const DEFAULT_LIMITS: SourceLimits = {
  maxFileBytes: 64 * 1024 * 1024,
  maxFiles: 200_000,
  maxDepth: 100,
  maxFetchBytes: 1024 * 1024 * 1024,
  fetchTimeoutMs: 600_000,
};

/** Mode, blank, the longest name a file system takes, NUL and id. */
const LONGEST_ENTRY = 7 + 255 + 1 + 20;

/** How long a tree object within the limits can be: it is not read to count entries that cannot be within them. */
export function largestTree({ maxFiles }: Pick<SourceLimits, "maxFiles">): number {
  return maxFiles * LONGEST_ENTRY;
}
