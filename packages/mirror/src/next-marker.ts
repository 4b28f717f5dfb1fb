import {
  type CommitId,
  type FileSetDigest,
  type Revision,
  type RevisionMarker,
  revisionOf,
} from "@sluice/core";
import type { Pass } from "./pass.ts";
import type { SkippedPart } from "./skipped.ts";

/** The marker of the target, once it is whole. */
export function nextMarker(
  pass: Pass,
  previous: Revision | undefined,
  files: { readonly files: number; readonly digest: FileSetDigest } & SkippedPart,
): RevisionMarker {
  const { source, clock } = pass.settings;
  return {
    state: "synced",
    revision: revisionOf(source.branch, pass.target as CommitId),
    previous,
    ...files,
    at: new Date(clock.now()).toISOString(),
  };
}
