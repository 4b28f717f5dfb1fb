import type { InventoryEntry, LiveJob, Revision } from "@sluice/core";
import { entryOf, provenEntry } from "../records/entry.ts";
import { known, type Pass, type Term } from "../term.ts";
import type { JobNode, Write } from "./node.ts";

/** The live version is taken for the sent spec's own only if nobody wrote in between; otherwise the next round compares. */
export function finishedEntry(
  pass: Pass,
  { job }: JobNode,
  live: LiveJob,
  sent: string | undefined,
  revision: Revision,
): InventoryEntry {
  const { format } = known(pass.term.options.targets.get(job.target), `target ${job.target}`);
  const ours = live.version === sent || format.compare(job.spec, live.spec, job.options.ignore).length === 0;
  const old = known(pass.term.records, "records").inventory.get(job.key);
  return provenEntry(entryOf(job, old, { version: ours ? live.version : undefined, revision }), job);
}

/** Adds a write to the counts of the deployment. */
export function countSent(term: Term, kind: Write["kind"]): void {
  if (!term.deployment) return;
  const { counts } = term.deployment;
  const [created, updated] = kind === "create" ? [1, 0] : [0, 1];
  term.deployment = {
    ...term.deployment,
    counts: { ...counts, created: counts.created + created, updated: counts.updated + updated },
  };
}
