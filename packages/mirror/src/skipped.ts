import {
  type CommitId,
  displayPath,
  type RevisionMarker,
  revisionOf,
  type SkippedFile,
  type TreeChange,
  type TreeFile,
} from "@sluice/core";
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

/** What a marker says of files that are not mirrored. */
export type SkippedPart = Pick<RevisionMarker, "skipped">;

/** The marker is part of every transaction that moves it, so what it lists is kept to this many bytes. */
const MOST_LISTED_BYTES = 32 * 1024;

/** What a marker says of these files of a whole tree. */
export function skippedIn(files: readonly TreeFile[]): SkippedPart {
  return skippedPart(files.flatMap((file) => skippedFile(file) ?? []));
}

/** The same after a change. Undefined: the change alone does not tell, the whole tree does. */
export function skippedAfter(
  old: RevisionMarker,
  differences: readonly TreeChange[],
): SkippedPart | undefined {
  if (old.skipped === "too many") return undefined;
  const moved = new Set(differences.map(({ path }) => path));
  const kept = (old.skipped ?? []).filter(({ path }) => !moved.has(path));
  const added = differences.flatMap(({ to }) => (to && skippedFile(to)) ?? []);
  return skippedPart([...kept, ...added]);
}

export function sameSkipped(one: SkippedPart, other: SkippedPart): boolean {
  return JSON.stringify(one.skipped) === JSON.stringify(other.skipped);
}

function skippedFile({ path, kind }: TreeFile): SkippedFile | undefined {
  return kind === "file" ? undefined : { path, kind };
}

function skippedPart(files: readonly SkippedFile[]): SkippedPart {
  if (files.length === 0) return {};
  const sorted = [...files].sort((one, other) => (one.path < other.path ? -1 : 1));
  return { skipped: JSON.stringify(sorted).length > MOST_LISTED_BYTES ? "too many" : sorted };
}
