import type { BuildRecord } from "../record.ts";

/** How a build that was begun stands. `handle` may have changed: what follows is asked of the new one. */
export type CiState =
  | { readonly kind: "queued"; readonly handle: string; readonly why: string }
  | { readonly kind: "running"; readonly handle: string; readonly url: string }
  | {
      readonly kind: "done";
      readonly result: "succeeded" | "failed" | "aborted";
      readonly message: string;
      readonly url: string | undefined;
    };

/**
 * A CI that builds. Every member throws CI_UNREACHABLE (transient), CI_DENIED (until a person mends the credentials) or
 * CI_REFUSED (for good).
 */
export interface CiServer {
  /** Asks for the build; undefined: it was taken, and nothing more will be heard of it. */
  start(build: BuildRecord, signal: AbortSignal): Promise<string | undefined>;
  /**
   * The handle of this build where the CI has it already: asked before a build is begun again after an answer was lost.
   * Absent: the CI itself sees that a build is asked for twice.
   */
  find?(build: BuildRecord, signal: AbortSignal): Promise<string | undefined>;
  /** How the build of this handle does. @param build whose it is: what a CI calls its builds may begin anew. */
  follow(handle: string, build: BuildRecord, signal: AbortSignal): Promise<CiState>;
  /** Looks whether builds could be begun, and begins none. @returns what was found, in words. */
  check(signal: AbortSignal): Promise<string>;
}
