import { createHash } from "node:crypto";
import { type Clock, type CommitId, SluiceError } from "@sluice/core";
import type { SourceLimits } from "../limits.ts";
import type { RemoteAccess } from "./access.ts";
import type { RemoteAddress } from "./address.ts";

/** A repository elsewhere, with a bare clone of it here. */
export interface Remote {
  /** The clone's folder; made when first asked for. */
  gitDir(): Promise<string>;
  /** The branch's newest commit, whose objects are then in the clone; undefined where the branch does not exist there. */
  head(signal?: AbortSignal): Promise<CommitId | undefined>;
  /** Says that the clone lacks what it should hold: the next `head` makes it anew, but once only for each commit. */
  distrust(): void;
  /** Ends what goes on in the background. */
  close(): Promise<void>;
}

export interface RemoteOptions {
  readonly address: RemoteAddress;
  readonly access: RemoteAccess;
  readonly branch: string;
  readonly ref: string;
  readonly cacheDir: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly limits: SourceLimits;
}

/**
 * Where the clone keeps what it last saw of a branch. Not under the branch's own name: `feature` may be deleted and
 * `feature/x` made, and a clone that still knows the one could not take the other.
 */
export function trackingRef(branch: string): string {
  return `refs/sluice/${createHash("sha256").update(branch).digest("hex").slice(0, 24)}`;
}

export function fetchTooLarge(most: number): SluiceError {
  return new SluiceError(
    "LIMIT_EXCEEDED",
    `the fetch brought more than ${most} bytes (limits.maxFetchBytes)`,
  );
}
