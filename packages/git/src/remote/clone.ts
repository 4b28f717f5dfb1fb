import { type CommitId, isSluiceError } from "@sluice/core";
import { readLocalRef } from "../refs/local-ref.ts";
import { cacheFolder, discardFolder } from "./cache-folder.ts";
import { type Remote, type RemoteOptions, trackingRef } from "./remote.ts";

/** What a way to reach a remote has to know. */
export interface Transport {
  /** Makes an empty bare repository. */
  init(folder: string): Promise<void>;
  /** The branch's commit there; undefined where the branch certainly does not exist. */
  list(signal: AbortSignal | undefined): Promise<CommitId | undefined>;
  /** Brings the branch's objects into the clone, and moves `tracking` there. */
  fetch(clone: string, tracking: string, signal: AbortSignal | undefined): Promise<void>;
}

/** The remote's branch: it is asked what it is, and only what moved is fetched. */
export function clonedRemote(options: RemoteOptions, transport: Transport): Remote {
  const { cacheDir, address } = options;
  const tracking = trackingRef(options.branch);
  let folder: Promise<string> | undefined;
  let suspect = false;
  let madeAnewAt: CommitId | undefined;
  /** A commit whose fetch was beyond the limit: it will not be smaller the next time. */
  let refused: { readonly commit: CommitId; readonly error: unknown } | undefined;

  function gitDir(): Promise<string> {
    folder ??= cacheFolder(cacheDir, address.url, transport.init);
    folder.catch(() => {
      folder = undefined;
    });
    return folder;
  }
  async function makeAnew(there: CommitId): Promise<void> {
    suspect = false;
    if (madeAnewAt === there) return;
    madeAnewAt = there;
    folder = undefined;
    await discardFolder(cacheDir, address.url);
  }

  return {
    gitDir,
    close: async () => undefined,
    distrust() {
      suspect = true;
    },
    async head(signal) {
      const there = await transport.list(signal);
      if (there === undefined) return undefined;
      if (refused?.commit === there) throw refused.error;
      if (suspect) await makeAnew(there);
      const clone = await gitDir();
      if ((await readLocalRef(clone, tracking)) === there) return there;
      try {
        await transport.fetch(clone, tracking, signal);
      } catch (error) {
        if (isSluiceError(error, "LIMIT_EXCEEDED")) refused = { commit: there, error };
        // Another source of the same branch may have been faster, and stood in the way.
        if (signal?.aborted || (await readLocalRef(clone, tracking).catch(() => undefined)) !== there)
          throw error;
      }
      return readLocalRef(clone, tracking);
    },
  };
}
