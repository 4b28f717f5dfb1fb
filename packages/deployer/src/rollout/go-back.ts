import type { JobId, LiveJob } from "@sluice/core";
import { planOne } from "../planning.ts";
import { known, type Pass } from "../term.ts";
import { type JobNode, undoNode, type Write } from "./node.ts";

/**
 * What puts the last healthy spec back after a job's own has failed; undefined where the job did not ask for that, or none is
 * kept, or it is there already. Should this be cut short, the next plan finds the same from the status.
 */
export async function goingBack(
  pass: Pass,
  { job, undo, key, target }: JobNode,
): Promise<JobNode | undefined> {
  const { options, records, leading } = pass.term;
  const kept = known(records, "records").inventory.get(key)?.lastHealthy;
  if (undo || job.options.onFailure !== "rollback" || !kept || kept.fingerprint === job.fingerprint)
    return undefined;
  const { scheduler } = known(options.targets.get(target), `target ${target}`);
  let found: readonly LiveJob[];
  try {
    found = await scheduler.list({ ids: [job.id] }, leading);
  } catch {
    leading.throwIfAborted();
    return undefined;
  }
  const listing = {
    jobs: new Map(found.map((one) => [one.id, one])),
    covers: (asked: JobId) => asked === job.id,
  };
  const plan = planOne(pass, key, new Map([[target, listing]]), job.fingerprint);
  const change = plan.changes.find((one): one is Write => one.kind !== "prune" && one.cause === "rollback");
  return change && undoNode(change, pass);
}
