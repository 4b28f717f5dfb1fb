import type { CommitId, Source, TreeFile } from "@sluice/core";

/** Reads the newest commit's tree before it is asked for. */
export interface ReadAhead {
  /** Begins to read it. Never rejects: what is wrong here, whoever asks meets too. */
  begin(signal: AbortSignal): Promise<void>;
  /** As the source does it; what was read ahead is given to the first who asks, if it is that commit's, and then forgotten. */
  tree(commit: CommitId, signal?: AbortSignal): Promise<readonly TreeFile[]>;
}

export function readAhead(source: Source): ReadAhead {
  let ahead: { readonly commit: CommitId; readonly files: Promise<readonly TreeFile[]> } | undefined;
  return {
    tree(commit, signal) {
      const read = ahead;
      ahead = undefined;
      if (read?.commit !== commit) return source.tree(commit, signal);
      return read.files.catch(() => source.tree(commit, signal));
    },
    async begin(signal) {
      const commit = await source.head(signal).catch(() => undefined);
      if (commit === undefined) return;
      const files = source.tree(commit, signal);
      files.catch(() => undefined);
      ahead = { commit, files };
    },
  };
}
