import type { DesiredJob, InventoryEntry, LiveJob, Revision } from "@sluice/core";
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
  const ours = live.version === sent || isAsSent(pass, job, live);
  const old = known(pass.term.records, "records").inventory.get(job.key);
  return provenEntry(entryOf(job, old, { version: ours ? live.version : undefined, revision }), job);
}

/** What cannot be compared is left to the next round, which says so. */
function isAsSent({ term }: Pass, { target, spec, options }: DesiredJob, live: LiveJob): boolean {
  const { format } = known(term.options.targets.get(target), `target ${target}`);
  try {
    return format.compare(spec, live.spec, options.ignore).length === 0;
  } catch {
    return false;
  }
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
