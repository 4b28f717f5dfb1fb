import type { JobResult, Reason, Revision } from "@sluice/core";
import { result } from "../observation.ts";
import type { JobNode } from "./node.ts";

/** States that are news of a rollout only where it is Git's own spec that is rolled out. */
const PLAIN: ReadonlySet<Reason> = new Set<Reason>([
  "Pending",
  "Progressing",
  "Applied",
  "Drifted",
  "Missing",
]);

type Found = Parameters<typeof result>[2];

/** The result of a job of a rollout. Where an earlier spec was put back, Git's own is the one that failed and stays held. */
export function nodeResult({ job, undo }: JobNode, revision: Revision, found: Found): JobResult {
  const made = result(job, revision, found);
  if (!undo) return made;
  const reason = PLAIN.has(found.reason) ? "RolledBack" : found.reason;
  const message = PLAIN.has(found.reason) ? undo.message : `${undo.message}, but: ${found.message}`;
  const sync = found.sync === "Synced" ? "OutOfSync" : found.sync;
  return { ...made, sync, reason, message, failed: undo.failed };
}
