import type { DesiredFile, FilePath, Problem, RevisionMarker, SkippedFile } from "@sluice/core";
import { POLICY_FILE, type Policy, targetOfFile } from "../policy/policy.ts";
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

/**
 * Why the policy cannot be read although no file of its name is there: taken for no policy at all, other folders would feed
 * the targets, and jobs would look deleted. Undefined: the revision has none.
 */
export function skippedPolicy({ skipped }: RevisionMarker): Problem | undefined {
  const problem = { file: POLICY_FILE, reason: "InvalidSpec" } as const;
  if (skipped === "too many")
    return {
      ...problem,
      message: "may be one of the links and pointers of this revision, too many to be listed",
    };
  const found = skipped?.find(({ path }) => path === POLICY_FILE);
  return found && { ...problem, message: skippedText(found.kind) };
}

export function sameSkipped(one: RevisionMarker, other: RevisionMarker): boolean {
  return JSON.stringify(one.skipped) === JSON.stringify(other.skipped);
}
