import type { DesiredFile, FilePath, RevisionMarker, SkippedFile } from "@sluice/core";
import { type Policy, targetOfFile } from "../policy/policy.ts";
import { type Formats, isJobFile } from "./parse-file.ts";

/** The rest of a sentence that begins with the path. */
export function skippedText(kind: SkippedFile["kind"]): string {
  const what = { symlink: "a symlink", submodule: "a submodule", lfs: "a pointer of Git LFS" }[kind];
  return `is ${what} in this revision, which is not read; what it may hold is left alone`;
}

/** Job files, by their name, that are something else: files that cannot be read, for all that follows. */
export function skippedFiles(
  { skipped }: RevisionMarker,
  policy: Policy,
  formats: Formats,
): Map<FilePath, DesiredFile> {
  const files = new Map<FilePath, DesiredFile>();
  if (!skipped || skipped === "too many") return files;
  for (const { path, kind } of skipped) {
    const target = targetOfFile(path, policy);
    if (target === undefined || !isJobFile(path, policy, formats)) continue;
    const problem = { file: path, reason: "InvalidSpec", message: skippedText(kind) } as const;
    files.set(path, { target, jobs: [], problems: [problem] });
  }
  return files;
}

export function sameSkipped(one: RevisionMarker, other: RevisionMarker): boolean {
  return JSON.stringify(one.skipped) === JSON.stringify(other.skipped);
}
