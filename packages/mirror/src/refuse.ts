import { type CommitId, type FilePath, type Outcome, type Problem, revisionOf, stalled } from "@sluice/core";
import type { Pass } from "./pass.ts";

/** Refuses the target whole: the revision before it stays, and the event is told once. */
export function refuse(pass: Pass, problems: readonly Problem[], message: string): Outcome {
  const { memory, settings } = pass;
  const commit = pass.target as CommitId;
  if (!pass.holding) {
    memory.refused = { commit, message };
    const revision = revisionOf(settings.source.branch, commit);
    settings.emit({ type: "mirror.refused", revision, problems });
  }
  return stalled("InvalidSpec", message);
}

/** @param message of PATH_UNSAFE, which holds the path in quotes. */
export function unsafePath(message: string): Problem {
  const file = (/"(.*)"/.exec(message)?.[1] ?? "") as FilePath;
  return { file, reason: "InvalidSpec", message, hint: "Rename the file." };
}
