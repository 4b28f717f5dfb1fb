import type { CommitId } from "@sluice/core";

/** A repository elsewhere, with a bare clone of it here. */
export interface Remote {
  /** The clone's folder; made when first asked for. */
  gitDir(): Promise<string>;
  /** The branch's newest commit, whose objects are then in the clone; undefined where the branch does not exist there. */
  head(signal?: AbortSignal): Promise<CommitId | undefined>;
}

/** Where the clone keeps what it last saw of a branch. */
export function trackingRef(branch: string): string {
  return `refs/remotes/origin/${branch}`;
}
