import { type CommitId, displayPath, revisionOf, type TreeFile } from "@sluice/core";
import type { Pass } from "./pass.ts";

/** Says once per revision which of these files are not mirrored. */
export function tellSkipped(pass: Pass, files: readonly TreeFile[]): void {
  const { memory, settings } = pass;
  const commit = pass.target as CommitId;
  const skipped = files.filter((file) => file.kind !== "file");
  if (skipped.length === 0 || memory.skippedAt === commit) return;
  memory.skippedAt = commit;
  settings.emit({
    type: "mirror.skipped",
    revision: revisionOf(settings.source.branch, commit),
    files: skipped.map((file) => displayPath(file.path)),
    why: "symlinks and submodules are not followed",
  });
}
