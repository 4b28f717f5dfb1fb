import { type CommitId, displayPath, revisionOf, type TreeFile } from "@sluice/core";
import type { Pass } from "./pass.ts";

/** Why what is no plain file is left out. */
const WHY: Readonly<Record<Exclude<TreeFile["kind"], "file">, string>> = {
  symlink: "symlinks are not followed",
  submodule: "submodules are not fetched",
  lfs: "pointers of Git LFS are not mirrored, and the files they stand for are not fetched",
};

/** Says once per revision, for each kind of them, which of these files are not mirrored. */
export function tellSkipped(pass: Pass, files: readonly TreeFile[]): void {
  const { memory, settings } = pass;
  const commit = pass.target as CommitId;
  const skipped = files.filter((file) => file.kind !== "file");
  if (skipped.length === 0 || memory.skippedAt === commit) return;
  memory.skippedAt = commit;
  for (const [kind, why] of Object.entries(WHY)) {
    const those = skipped.filter((file) => file.kind === kind);
    if (those.length === 0) continue;
    settings.emit({
      type: "mirror.skipped",
      revision: revisionOf(settings.source.branch, commit),
      files: those.map((file) => displayPath(file.path)),
      why,
    });
  }
}
