import { known, type Pass } from "../term.ts";
import type { JobNode } from "./node.ts";

/**
 * Ends the scheduler's rollout of the spec we sent before, which keeps the job locked though nobody wants that spec any more.
 * Never the rollout of anybody else: only one whose spec our own record names as sent and not yet healthy; once for each.
 * @returns whether it is worth while to send again at once.
 */
export async function cancelOwn({ term }: Pass, { key, job }: JobNode): Promise<boolean> {
  const entry = known(term.records, "records").inventory.get(key);
  const { scheduler } = known(term.options.targets.get(job.target), `target ${job.target}`);
  if (!scheduler.cancel || !entry || entry.version !== undefined) return false;
  const { fingerprint } = entry;
  if (!fingerprint || fingerprint === job.fingerprint || term.cancelled.get(key) === fingerprint)
    return false;
  await term.writer.prove();
  try {
    await scheduler.cancel(job.id, term.leading);
  } catch {
    // It stays locked, which is said, and is tried again.
    term.leading.throwIfAborted();
    return false;
  }
  term.cancelled.set(key, fingerprint);
  await term.writer.prove();
  return true;
}
