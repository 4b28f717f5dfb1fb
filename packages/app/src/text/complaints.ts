import {
  type DeploymentStatus,
  type Problem,
  type Revision,
  type SilentTarget,
  shortRevision,
} from "@sluice/core";
import { problemLine } from "./changes.ts";
import { GLYPH } from "./glyphs.ts";

/** What a deployment has to say apart from any job: targets that do not answer, and files that cannot be read. */
export function complaintLines({ silent = [], problems = [], problemsTotal }: DeploymentStatus): string[] {
  const more = (problemsTotal ?? problems.length) - problems.length;
  return [
    ...silent.map(silentLine),
    ...problems.map(problemLine),
    ...(more > 0 ? [`${GLYPH.fail} and ${more} more problems`] : []),
  ];
}

/** A commit that was not mirrored, and why. */
export function refusedLines({
  revision,
  problems,
}: {
  readonly revision: Revision;
  readonly problems: readonly Problem[];
}): string[] {
  return [
    `${GLYPH.fail} ${shortRevision(revision)} is not mirrored; the revision before it stays`,
    ...problems.map(problemLine),
  ];
}

function silentLine({ target, reason, message, since }: SilentTarget): string {
  return `${GLYPH.fail} target ${target} ${reason} since ${since}: ${message}`;
}
